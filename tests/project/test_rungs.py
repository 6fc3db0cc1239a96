"""Runs that share their steps: the same losses as runs of their own, to the bit, however often they are stopped."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trivium.plan.shapes import shape
from trivium.project.estimate import settings_of
from trivium.project.ladder import ladder_project, step_flops
from trivium.project.prepare import Material, prepare
from trivium.project.read import parse_project
from trivium.project.rungs import MeasuredRun, Rung, fork, train_rung
from trivium.train.precision import Precision
from trivium.train.stop import Stop

Trained = Callable[..., tuple[MeasuredRun, ...] | None]


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trains a rung of so many steps in a folder."""
    out = tmp_path_factory.mktemp("rungs")
    materials: dict[str, Material] = {}
    content = {
        "data": {"mix": [{"path": str(corpus)}], "held_out": 0.1, "length": 32},
        "model": {"vocabulary": 400, "families": ["bert", "gpt2", "t5"]},
        "train": {"batch_tokens": 256, "warmup_steps": 1, "precision": "float32"},
    }

    def train(
        folder: Path, steps: tuple[int, ...], family: str = "gpt2", rate: float = 0.02, stop: Stop | None = None
    ) -> tuple[MeasuredRun, ...] | None:
        project = ladder_project(parse_project(content), family, out)
        project = project.model_copy(update={"train": {**project.train, "learning_rate": rate}})
        if family not in materials:
            (materials[family],) = prepare(project)
        material = materials[family]
        small = shape(material.family, 32, material.tokenizer.vocabulary, material.length)
        flops = step_flops(material, small, 8, 30)
        rung = Rung(32, 2, small.parameters, small.non_embedding_parameters, 8, 256.0, flops, 0.01, steps)
        return train_rung(
            material,
            rung,
            lambda count: settings_of(project, material, count, small.parameters),
            folder,
            held_out_rows=20,
            precision=Precision("float32"),
            device=torch.device("cpu"),
            stop=stop,
        )

    return train


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_a_branch_is_a_run_of_its_own_to_the_bit(trained: Trained, family: str, tmp_path: Path) -> None:
    short, long = trained(tmp_path / "both", (5, 10), family) or ()
    assert trained(tmp_path / "short", (5,), family) == (short,)
    assert long.tokens > short.tokens
    assert long.flops == 2 * short.flops


def test_a_rung_that_is_stopped_after_every_step_ends_the_same(trained: Trained, tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", (4, 6))
    stopped, runs = 0, None
    while runs is None:
        stop = Stop()
        stop.request("the test")
        runs = trained(tmp_path / "stopped", (4, 6), stop=stop)
        stopped += runs is None
    assert stopped == 5, "each call takes a step: five of the long run's six end before it does"
    assert runs == whole
    assert [run.steps for run in runs] == [4, 6]


def test_what_is_finished_is_only_read(trained: Trained, tmp_path: Path) -> None:
    runs = trained(tmp_path / "rung", (5, 10))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "rung").rglob("*")}
    assert trained(tmp_path / "rung", (5, 10)) == runs
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "rung").rglob("*")} == kept
    assert {path.name for path in kept} == {"identity", "points.jsonl"}, "checkpoints go when all is measured"


def test_another_rate_or_length_begins_anew(trained: Trained, tmp_path: Path) -> None:
    (before,) = trained(tmp_path / "rung", (5,)) or ()
    (after,) = trained(tmp_path / "rung", (5,), rate=0.001) or ()
    assert after.loss > before.loss
    assert len(trained(tmp_path / "rung", (5, 8)) or ()) == 2


def test_the_standard_error_shrinks_with_rows_and_is_of_the_loss(trained: Trained, tmp_path: Path) -> None:
    (run,) = trained(tmp_path / "rung", (5,)) or ()
    assert 0 < run.standard_error < 0.1 * run.loss


def test_the_last_fifth_decays() -> None:
    assert [fork(steps) for steps in (5, 10, 100, 1001)] == [4, 8, 80, 801]
