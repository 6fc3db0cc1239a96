"""Where the rows of a run go: always to metrics.jsonl, and to a tracker and a person where they are wanted."""

__all__ = ["METRICS_FILE", "Reports"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from trivium.train.machine import peak_memory_bytes
from trivium.train.metrics import MetricsFile
from trivium.train.precision import Precision
from trivium.train.progress import Progress
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainState
from trivium.train.trackers import open_tracker

METRICS_FILE = "metrics.jsonl"


class Reports:
    """Hands each row to the metrics file, the tracker and the person. Use as a context manager.

    Opened for a run that continues from `state`, it drops the rows that the run will make again. Raises `UsageError`
    where the tracker that `settings` asks for is not installed, before anything is trained.
    """

    def __init__(
        self,
        folder: Path,
        settings: TrainSettings,
        state: TrainState,
        console: Console | None,
        title: str,
        flops_per_token: float | None,
        precision: Precision,
        device: torch.device,
    ) -> None:
        self.console, self.device = console, device
        self.tracker = open_tracker(settings.report_to, folder, settings.model_dump(mode="json"), state.step)
        self.metrics = MetricsFile(folder / METRICS_FILE, state.step, state.validated_step)
        self.progress = console and Progress(
            console,
            settings.steps,
            title=title,
            flops_per_token=flops_per_token,
            peak_flops_per_second=precision.flops_per_second,
        )

    def __enter__(self) -> "Reports":
        if self.progress:
            self.progress.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self.progress:
            self.progress.__exit__(*error)
        if self.tracker:
            self.tracker.close()
        self.metrics.close()

    def take(self, row: dict[str, Any]) -> None:
        """Report one row of metrics."""
        self.metrics.append(row)
        if self.tracker:
            self.tracker.log(_numbers(row), row["step"])
        if self.progress:
            self.progress.update(row, peak_memory_bytes(self.device))

    def say(self, what: Any) -> None:
        """Print something for the person, if there is one."""
        if self.console:
            self.console.print(what, highlight=False)


def _numbers(row: Mapping[str, Any], prefix: str = "train") -> dict[str, float]:
    """The row's numbers under a tracker's names: `train/loss`, `validation/loss`."""
    inner = row.get("validation")
    if inner:
        return _numbers(inner, "validation")
    return {f"{prefix}/{name}": value for name, value in row.items() if name != "step" and value is not None}
