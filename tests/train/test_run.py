"""The run folder: a run that is stopped or killed at any moment continues to the same bits, or says why not."""

import json
import random
import signal
import statistics
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch
import yaml
from rich.console import Console
from safetensors.torch import load_file

from tests import forked
from tests.train.run_once import run_once
from tests.train.tiny import KINDS, batch, build
from trivium.errors import CheckpointError, TrainingError, UsageError
from trivium.objectives.batch import Batch
from trivium.train.bill import Line
from trivium.train.checkpoint import checkpoint_folders, latest
from trivium.train.loss import LossSum, head_loss
from trivium.train.metrics import read_metrics
from trivium.train.run import first_quote, read_result, run_training
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult
from trivium.train.stop import Stop
from trivium.weights.folder import load_folder

EXACT = ("step", "loss", "gradient_norm", "learning_rate", "tokens", "targets", "validation")


def exact_rows(folder: Path) -> list[dict]:
    """The logged rows without what a clock says."""
    return [{key: row[key] for key in EXACT if key in row} for row in read_metrics(folder / "metrics.jsonl")]


def assert_same_run(folder: Path, expected: Path) -> None:
    """Every weight, every optimizer state and every logged loss, bit for bit."""
    for name in ("model.safetensors", f"{latest(expected).name}/optimizer.safetensors"):
        ours, theirs = load_file(folder / name), load_file(expected / name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert exact_rows(folder) == exact_rows(expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_stopped_at_random_steps_it_is_the_same_run(kind: str, optimizer: str, tmp_path: Path) -> None:
    whole = run_once(tmp_path / "whole", kind, optimizer)
    assert whole.finished
    draw = random.Random(f"{kind} {optimizer}")
    stops = sorted(draw.sample(range(11), 2))
    for step in stops:
        result = run_once(
            tmp_path / "parts",
            kind,
            optimizer,
            at_step=lambda now, stop, step=step: now == step and stop.request("test"),
        )
        assert result.stopped_by == "test"
        assert result.steps == step + 1
        assert latest(tmp_path / "parts").name == f"checkpoint-{step + 1}"
    result = run_once(tmp_path / "parts", kind, optimizer)
    assert result.finished
    assert (result.loss, result.mean_loss, result.validation) == (whole.loss, whole.mean_loss, whole.validation)
    assert_same_run(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.parametrize("kind", ["decoder"])
def test_an_error_between_checkpoints_loses_only_the_steps_since(kind: str, tmp_path: Path) -> None:
    """The metrics hold steps that the checkpoint does not; they are taken again and stand there once."""
    run_once(tmp_path / "whole", kind, "adamw")

    def break_at_8(step: int, stop: Stop) -> None:
        if step == 8:
            raise OSError("the data went away")

    with pytest.raises(OSError, match="went away"):
        run_once(tmp_path / "parts", kind, "adamw", at_step=break_at_8)
    assert exact_rows(tmp_path / "parts")[-1]["step"] == 8
    assert latest(tmp_path / "parts").name == "checkpoint-6"
    run_once(tmp_path / "parts", kind, "adamw")
    assert_same_run(tmp_path / "parts", tmp_path / "whole")


def start(folder: Path, steps: int) -> BaseProcess:
    return forked.start("tests.train.run_once", str(folder), "decoder", "adamw", str(steps))


def wait_for_steps(folder: Path, more: int, process: BaseProcess) -> None:
    """Until the run in `folder` has logged so many more rows, or ended."""
    before = len(read_metrics(folder / "metrics.jsonl"))
    deadline = time.monotonic() + 60
    while len(read_metrics(folder / "metrics.jsonl")) < before + more and process.is_alive():
        assert time.monotonic() < deadline, "the run makes no steps"
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_at_random_moments_it_is_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM once, then SIGKILL wherever it may be: in a step, in a checkpoint, in a row of the metrics."""
    steps, draw, parts = 60, random.Random(0), tmp_path / "parts"
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # of the processes: they import `tests`
    run_once(tmp_path / "whole", "decoder", "adamw", steps=steps)

    process = start(parts, steps)
    wait_for_steps(parts, 5, process)
    process.terminate()
    process.join(60)
    assert process.exitcode == signal.SIGTERM, "it ended by itself, and says why"
    assert latest(parts) is not None

    for _ in range(2):
        process = start(parts, steps)
        wait_for_steps(parts, draw.randint(1, 8), process)
        time.sleep(draw.random() * 0.02)
        process.kill()
        process.join()
    process = start(parts, steps)
    process.join(60)
    assert process.exitcode == 0
    assert_same_run(parts, tmp_path / "whole")
    assert not list(parts.glob(".*.partial"))


def test_a_finished_run_is_only_read(tmp_path: Path) -> None:
    result = run_once(tmp_path, "decoder", "adamw")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.name != ".lock" and path.is_file()}

    def never(step: int, stop: Stop) -> None:
        raise AssertionError("it trains again")

    assert run_once(tmp_path, "decoder", "adamw", at_step=never) == result == read_result(tmp_path)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.name != ".lock" and path.is_file()}
    assert after == before


def test_the_folder_opens_as_a_model_and_the_record_says_how_it_came_about(tmp_path: Path) -> None:
    run_once(tmp_path, "decoder", "adamw")
    trained = load_folder(tmp_path)
    weights = load_file(latest(tmp_path) / "model.safetensors")
    assert all(torch.equal(weights[name], tensor) for name, tensor in trained.named_parameters())
    record = yaml.safe_load((tmp_path / "run.yaml").read_text())
    assert record["settings"]["accumulation"] == 2
    assert record["torch"] == str(torch.__version__)
    assert record["identity"]["architecture"] == "decoder"
    assert record["precision"]["format"] == "float32"
    assert record["result"]["finished"] is True
    assert record["result"]["validation"]["bits_per_byte"] > 0


def test_another_run_in_the_folder_is_refused(tmp_path: Path) -> None:
    run_once(tmp_path, "decoder", "adamw", at_step=lambda step, stop: stop.request("test"))
    with pytest.raises(CheckpointError, match=r"holds another run: architecture is 'decoder' there and 'encoder' here"):
        run_once(tmp_path, "encoder", "adamw")
    with pytest.raises(CheckpointError, match=r"train.optimizer is 'adamw' there and 'muon' here"):
        run_once(tmp_path, "decoder", "muon")


def test_two_processes_in_one_folder(tmp_path: Path) -> None:
    def again(step: int, stop: Stop) -> None:
        with pytest.raises(CheckpointError, match="Another process is training in"):
            run_once(tmp_path, "decoder", "adamw")

    run_once(tmp_path, "decoder", "adamw", steps=2, at_step=again)


def test_an_altered_checkpoint_is_refused_and_the_one_before_it_continues(tmp_path: Path) -> None:
    run_once(tmp_path / "whole", "decoder", "adamw")
    parts = tmp_path / "parts"
    run_once(parts, "decoder", "adamw", at_step=lambda step, stop: step == 7 and stop.request("test"))
    altered = latest(parts)
    weights = bytearray((altered / "model.safetensors").read_bytes())
    weights[-5] ^= 1
    (altered / "model.safetensors").write_bytes(weights)
    with pytest.raises(CheckpointError, match=f"Delete the folder {altered} .*continues from checkpoint-6"):
        run_once(parts, "decoder", "adamw")
    for path in altered.iterdir():
        path.unlink()
    altered.rmdir()
    run_once(parts, "decoder", "adamw")
    assert_same_run(parts, tmp_path / "whole")


def test_an_altered_record_is_refused(tmp_path: Path) -> None:
    run_once(tmp_path, "decoder", "adamw", at_step=lambda step, stop: stop.request("test"))
    (tmp_path / "run.yaml").write_text("settings: [")
    with pytest.raises(CheckpointError, match=r"run\.yaml cannot be read"):
        run_once(tmp_path, "decoder", "adamw")


class Foreseen:
    """An expectation of one line: the steps' time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def to_dict(self) -> dict:
        return {"seconds": self.seconds}

    def lines(self, result: TrainResult) -> list[Line]:
        return [Line("time", "s", self.seconds, result.seconds)]


def test_what_was_expected_stands_in_the_folder_before_anything_is_trained(tmp_path: Path) -> None:
    def loss_fn(model: torch.nn.Module, example: Batch) -> LossSum:
        seen.append(yaml.safe_load((tmp_path / "run.yaml").read_text())["quote"])
        return head_loss(model, example)

    seen: list[dict] = []
    console = Console(record=True, width=120, force_terminal=False)
    result = run_small(tmp_path)(loss_fn=loss_fn, expectation=Foreseen(240.0), console=console)
    assert seen[0]["seconds"] == 240.0
    assert seen[0]["torch"] == str(torch.__version__)
    assert first_quote(tmp_path) == seen[0] == seen[-1]
    assert "4 min 0 s" in console.export_text()
    assert result.memory is not None
    rows = [row["step_seconds"] for row in read_metrics(tmp_path / "metrics.jsonl")]
    assert sorted(rows)[1] == result.median_step_seconds
    assert first_quote(tmp_path / "nowhere") is None


def test_a_resume_keeps_the_largest_memory_and_the_median_of_all_steps(tmp_path: Path) -> None:
    run_once(tmp_path, "decoder", "adamw", at_step=lambda step, stop: step == 5 and stop.request("test"))
    state = json.loads((latest(tmp_path) / "state.json").read_text())["state"]
    before = state["memory"]
    assert before["total"] > 0
    result = run_once(tmp_path, "decoder", "adamw")
    assert result.memory.total >= before["total"]
    assert result.memory.weights == before["weights"]
    assert result.peak_memory_bytes >= state["peak_memory_bytes"]
    taken = [row["step_seconds"] for row in read_metrics(tmp_path / "metrics.jsonl") if "step_seconds" in row]
    assert len(taken) == 12
    assert result.median_step_seconds == pytest.approx(statistics.median(taken))
    assert sum(taken) == pytest.approx(result.seconds)


def run_small(folder: Path, **changes: object):
    settings = TrainSettings(**{"steps": 3, "precision": "float32", "checkpoint_every": 1, **changes})
    saved = lambda place, model: None  # noqa: E731
    return lambda **named: run_training(folder, build, lambda step: [batch("decoder", step)], settings, saved, **named)


def test_a_loss_that_is_no_number_names_the_last_checkpoint(tmp_path: Path) -> None:
    calls: list[LossSum] = []

    def loss_fn(model: torch.nn.Module, example: Batch) -> LossSum:
        part = head_loss(model, example)
        calls.append(part)
        return part if len(calls) == 1 else LossSum(part.loss_sum * float("nan"), part.targets)

    with pytest.raises(
        TrainingError, match=r"At step 1 the loss is nan .* The last checkpoint before it is .*checkpoint-1"
    ):
        run_small(tmp_path)(loss_fn=loss_fn)
    assert [folder.name for folder in checkpoint_folders(tmp_path)] == ["checkpoint-1"]


def test_what_a_person_sees(tmp_path: Path) -> None:
    console = Console(record=True, width=120, force_terminal=False)
    run_small(tmp_path / "tiny")(console=console, flops_per_token=1e6)
    text = console.export_text()
    assert "tiny step 1/3 · loss" in text
    assert "MFU" in text
    assert "tiny: done" in text
    stop = Stop()
    stop.request("a person")
    run_small(tmp_path / "other")(console=console, stop=stop)
    assert "stopped by a person" in console.export_text()


def test_a_tracker_that_is_not_installed_is_said_before_training(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    with pytest.raises(UsageError, match="the package wandb is not installed"):
        run_small(tmp_path, report_to="wandb")()
    assert read_metrics(tmp_path / "metrics.jsonl") == []
