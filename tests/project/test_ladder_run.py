"""A whole ladder on a small real corpus: planned, trained, predicted, the large run trained, predicted and measured."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from trivium.errors import UsageError
from trivium.project.ladder import Design
from trivium.project.ladder_run import LadderResult, run_ladder
from trivium.project.read import parse_project, read_project
from trivium.project.schema import Project
from trivium.train.stop import Stop

#: A few dozen steps a size, however fast the machine is: the text and the tokens a parameter limit it.
SMALL = Design(sizes=3, runs=3, fewest_steps=8, tokens_per_parameter=0.05, most_epochs=0.04, held_out_targets=2000)
MINUTES = 1.0


@pytest.fixture(scope="module")
def project(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return parse_project(
        {
            "scope": {"out": str(tmp_path_factory.mktemp("ladder") / "out"), "seed": 3},
            "data": {"mix": [{"path": str(corpus)}], "held_out": 0.1, "length": 32},
            "model": {"vocabulary": 400},
            "train": {"batch_tokens": 256, "warmup_steps": 2, "precision": "float32"},
            "evaluate": {"prompts": ["The statement"], "max_tokens": 4},
        }
    )


@pytest.fixture(scope="module")
def done(project: Project) -> LadderResult:
    said = Console(file=io.StringIO())
    return run_ladder(project, "gpt2", MINUTES, "2x", design=SMALL, run_target=True, console=said)


@pytest.mark.slow
def test_it_predicts_then_trains_and_measures_the_same_run(done: LadderResult) -> None:
    assert done.target is not None
    assert done.target.times >= 2
    assert done.target.low <= done.target.loss <= done.target.high
    assert done.measured is not None
    assert done.error == pytest.approx(done.measured / done.target.loss - 1)
    assert (done.out / "report.html").is_file()
    predicted, trained = (done.out / name for name in ("prediction.json", "gpt2/model.safetensors"))
    assert predicted.stat().st_mtime_ns < trained.stat().st_mtime_ns, "predicted before it was trained"
    assert json.loads(predicted.read_text())["gpt2"]["loss"] == done.target.loss


@pytest.mark.slow
def test_what_it_leaves_can_be_read_again(done: LadderResult) -> None:
    rows = [json.loads(line) for line in (done.out / "ladder" / "points.jsonl").read_text().splitlines()]
    assert [(row["params"], row["tokens"], row["loss"]) for row in rows] == [
        (run.parameters, run.tokens, run.loss) for run in done.runs
    ]
    assert len(rows) == 3 * 3
    wanted = read_project(done.out / "target.yaml")
    assert done.target is not None
    assert wanted.model.dim == done.target.dim
    plan = json.loads((done.out / "plan.json").read_text())["result"]["models"][0]["quote"]
    assert plan["steps"] == pytest.approx(done.target.steps, rel=0.02)
    assert json.loads(json.dumps(done.to_dict()))["measured"] == done.measured
    assert len(done.plot().axes[0].lines) > 3


@pytest.mark.slow
def test_another_target_needs_no_training(done: LadderResult, project: Project) -> None:
    """The rungs are only read, and what was measured is not of this run."""
    kept = {path: path.stat().st_mtime_ns for path in (done.out / "ladder").rglob("width-*/*")}
    other = run_ladder(project, "gpt2", MINUTES, "20 minutes here", design=SMALL)
    assert other.runs == done.runs
    assert other.measured is None
    assert other.target is not None
    assert done.target is not None
    assert other.target.flops > done.target.flops
    assert {path: path.stat().st_mtime_ns for path in (done.out / "ladder").rglob("width-*/*")} == kept


@pytest.mark.slow
def test_a_ladder_that_is_stopped_goes_on(project: Project, tmp_path: Path) -> None:
    stop = Stop()
    stop.request("the test")
    first = run_ladder(project, "gpt2", MINUTES, "2x", out=tmp_path, design=SMALL, stop=stop)
    assert first.runs == ()
    assert first.target is None
    second = run_ladder(project, "gpt2", MINUTES, "2x", out=tmp_path, design=SMALL, stop=stop)
    assert second.plan == first.plan, "a plan is made once"
    states = [json.loads(path.read_text())["state"]["step"] for path in tmp_path.rglob("state.json")]
    assert max(states) == 2, "a step each time"


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_minutes_that_cannot_be_are_refused(project: Project, minutes: float) -> None:
    with pytest.raises(UsageError, match="give a number above 0"):
        run_ladder(project, "gpt2", minutes)
