"""The plan of a ladder: sizes and lengths within the time, everything else the same for all."""

from pathlib import Path

import pytest
import torch

from trivium.errors import BudgetError, UsageError
from trivium.plan.machine import Machine
from trivium.project.ladder import Design, LadderPlan, ladder_project, ladder_settings, plan_ladder
from trivium.project.prepare import prepare
from trivium.project.read import parse_project
from trivium.project.rungs import DECAY, taken_steps
from trivium.train.precision import Precision

MACHINE = Machine("here", "cpu", 1, 2 * 10**10, Precision("float32", 1e11))
SMALL = Design(fewest_steps=4, tokens_per_parameter=0.02, held_out_targets=2000)
CPU = torch.device("cpu")


@pytest.fixture
def content(corpus: Path, tmp_path: Path) -> dict:
    return {
        "scope": {"out": str(tmp_path / "out")},
        "data": {"mix": [{"path": str(corpus)}], "held_out": 0.1, "length": 32},
        "model": {"vocabulary": 400, "dim": 64, "objectives": {"t5": "prefix"}},
        "train": {"batch_tokens": 512, "schedule": "cosine", "precision": "float32"},
    }


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_a_plan_keeps_to_its_time_and_spans_sizes_and_tokens(content: dict, tmp_path: Path, family: str) -> None:
    content["model"]["objectives"] = {}
    project = ladder_project(parse_project(content), family, tmp_path / "ladder")
    (material,) = prepare(project)
    plan = plan_ladder(project, material, MACHINE, CPU, 15, SMALL)
    sizes = [rung.parameters for rung in plan.rungs]
    assert 3 <= len(sizes) <= 5
    assert sizes == sorted(set(sizes))
    assert plan.seconds <= 15
    assert plan.flops < 0.7 * plan.separate_flops, "shared steps are taken once"
    for rung in plan.rungs:
        assert rung.steps[-1] >= 8
        assert rung.steps == SMALL.lengths(rung.steps[-1])
        assert {rung.rows for rung in plan.rungs} == {rung.rows}
        assert rung.step_flops > 0
    assert LadderPlan.from_dict(plan.to_dict()) == plan
    longer = plan_ladder(project, material, MACHINE, CPU, 60, SMALL)
    assert longer.rungs[-1].parameters > sizes[0]
    assert longer.largest_flops > plan.largest_flops


def test_too_little_time_for_three_sizes_says_how_much_is_needed(content: dict, tmp_path: Path) -> None:
    content["model"]["objectives"] = {}
    project = ladder_project(parse_project(content), "gpt2", tmp_path / "ladder")
    (material,) = prepare(project)
    with pytest.raises(BudgetError, match=r"three sizes.* minutes on this machine; 0\.002 are given\. Give more"):
        plan_ladder(project, material, MACHINE, CPU, 0.12)


def test_all_runs_share_their_settings_whatever_the_file_says(content: dict, tmp_path: Path) -> None:
    content["model"]["objectives"] = {}
    project = ladder_project(parse_project(content), "gpt2", tmp_path / "ladder")
    assert project.model.families == ("gpt2",)
    assert project.model.dim is None
    (material,) = prepare(project)
    plan = plan_ladder(project, material, MACHINE, CPU, 15, SMALL)
    settings = [ladder_settings(project, material, rung)(100 * rung.dim) for rung in plan.rungs]
    assert len({(s.learning_rate, s.warmup, s.batch_rows, s.optimizer, s.seed) for s in settings}) == 1
    assert {(s.schedule, s.decay_fraction, s.floor) for s in settings} == {("wsd", DECAY, 0.0)}


def test_the_objective_of_another_family_is_left_out(content: dict, tmp_path: Path) -> None:
    project = parse_project(content)
    assert ladder_project(project, "gpt2", tmp_path).model.objectives == {}
    assert list(ladder_project(project, "t5", tmp_path).model.objectives) == ["t5"]


def test_a_family_that_is_not_there_names_the_nearest(content: dict, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'gpt2'"):
        ladder_project(parse_project(content), "gpt-2", tmp_path)


@pytest.mark.parametrize(("longest", "lengths"), [(400, (120, 179, 268, 400)), (4000, (1000, 1587, 2520, 4000))])
def test_lengths_are_even_in_their_logarithms_and_none_is_too_short(longest: int, lengths: tuple[int, ...]) -> None:
    assert Design().lengths(longest) == lengths
    steps = taken_steps(lengths)
    assert taken_steps(Design().lengths(Design().longest(steps))) <= steps
    assert Design().longest(steps) == pytest.approx(longest, rel=0.01)
