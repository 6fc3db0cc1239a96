"""Where the rows of a run go."""

import io
from pathlib import Path

import pytest
import torch
from rich.console import Console

from trivium.train.metrics import read_metrics
from trivium.train.precision import Precision
from trivium.train.reports import METRICS_FILE, Reports
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainState

STEP = {"step": 1, "loss": 2.5, "learning_rate": 1e-3, "tokens": 10, "targets": 9, "tokens_per_second": 5.0}
VALIDATION = {"step": 1, "validation": {"loss": 3.0, "perplexity": 20.0, "bits_per_byte": None, "targets": 5}}


def report(folder: Path, console: Console | None, report_to: str = "none") -> None:
    settings = TrainSettings(steps=1, report_to=report_to)
    with Reports(
        folder, settings, TrainState(), console, "tiny", None, Precision("float32"), torch.device("cpu")
    ) as reports:
        reports.take(STEP)
        reports.take(VALIDATION)
        reports.say("done")


def test_to_the_file_and_to_a_person(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=120)
    report(tmp_path, console)
    assert read_metrics(tmp_path / METRICS_FILE) == [STEP, VALIDATION]
    assert console.file.getvalue().startswith("tiny step 1/1 · loss 2.500")
    assert console.file.getvalue().endswith("done\n")


def test_silent_without_a_console(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(tmp_path, None)
    assert capsys.readouterr() == ("", "")
    assert read_metrics(tmp_path / METRICS_FILE) == [STEP, VALIDATION]


def test_to_a_tracker_under_names_of_their_own(tmp_path: Path) -> None:
    """What is not known (bits per byte, here) is left out."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    report(tmp_path, None, "tensorboard")
    events = reader.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    names = set(events.Tags()["scalars"])
    assert {"train/loss", "train/learning_rate", "validation/loss", "validation/perplexity"} <= names
    assert "validation/bits_per_byte" not in names
    assert events.Scalars("validation/loss")[0].value == 3.0
