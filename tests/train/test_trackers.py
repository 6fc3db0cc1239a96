"""Trackers: TensorBoard for real, and a clear word where a package is missing."""

import importlib.util
from pathlib import Path

import pytest

from trivium.errors import UsageError
from trivium.train.settings import TrainSettings
from trivium.train.trackers import TRACKERS, open_tracker


def test_none() -> None:
    assert open_tracker("none", Path("run"), {}, 0) is None


def test_every_name_of_the_settings_has_a_tracker() -> None:
    names = TrainSettings.model_json_schema()["properties"]["report_to"]["enum"]
    assert set(names) == {"none", *TRACKERS}


def test_tensorboard_holds_each_step_once_after_a_resume(tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for first, last in ((1, 5), (3, 6)):
        tracker = open_tracker("tensorboard", tmp_path, {}, first - 1)
        for step in range(first, last):
            tracker.log({"train/loss": step / 2}, step)
        tracker.close()
    events = reader.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("train/loss")] == [
        (step, step / 2) for step in range(1, 6)
    ]


@pytest.mark.parametrize("name", sorted(TRACKERS))
def test_a_missing_package_is_said(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(name):
        pytest.skip(f"{name} is installed")
    with pytest.raises(UsageError, match=f"report_to is '{name}', and the package {name} is not installed"):
        open_tracker(name, tmp_path, {}, 0)
