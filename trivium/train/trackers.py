"""Trackers that also receive the metrics, for those who ask for one. Each is imported only when it is used."""

__all__ = ["TRACKERS", "Tracker", "open_tracker"]

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from trivium.errors import UsageError


@runtime_checkable
class Tracker(Protocol):
    """Receives numbers by step."""

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Take the numbers of one step."""

    def close(self) -> None:
        """Write what is still held back."""


class _TensorBoard:
    def __init__(self, folder: Path, settings: Mapping[str, Any], step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        self.writer.close()


class _Initialised:
    """trackio and wandb, which share one interface."""

    def __init__(self, package: str, folder: Path, settings: Mapping[str, Any], **options: Any) -> None:
        self.module = importlib.import_module(package)
        self.module.init(project=folder.parent.name or "trivium", name=folder.name, config=dict(settings), **options)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        self.module.log(dict(numbers), step=step)

    def close(self) -> None:
        self.module.finish()


class _MLflow:
    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.module = importlib.import_module("mlflow")
        self.module.set_experiment(folder.parent.name or "trivium")
        self.module.start_run(run_name=folder.name)
        self.module.log_params(dict(settings))

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        self.module.log_metrics(dict(numbers), step=step)

    def close(self) -> None:
        self.module.end_run()


#: Every tracker by its name in `report_to`; opened with a run folder, settings and the step it continues from.
TRACKERS: dict[str, Callable[[Path, Mapping[str, Any], int], Tracker]] = {
    "tensorboard": _TensorBoard,
    "trackio": lambda folder, settings, step: _Initialised("trackio", folder, settings),
    "wandb": lambda folder, settings, step: _Initialised("wandb", folder, settings, dir=str(folder)),
    "mlflow": lambda folder, settings, step: _MLflow(folder, settings),
}


def open_tracker(name: str, folder: Path, settings: Mapping[str, Any], step: int) -> Tracker | None:
    """The tracker called `name` for the run in `folder`, or None for "none".

    Raises `UsageError` where its package is not installed.
    """
    if name == "none":
        return None
    try:
        importlib.import_module(name)
        return TRACKERS[name](folder, settings, step)
    except ImportError as error:
        raise UsageError(
            f"report_to is '{name}', and the package {name} is not installed: install it with `pip install {name}`, or "
            "set report_to to none. The metrics are in metrics.jsonl either way."
        ) from error
