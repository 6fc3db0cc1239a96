"""One model's run folder: build or resume, train, save, and say what was done.

    run/
        config.json, model.safetensors, ...   the trained model, once it is finished
        run.yaml                              resolved settings, versions, seed, git state, data, result
        metrics.jsonl                         a row for each step and each validation
        checkpoint-<step>/                    what a resume needs

Run the same again at any time: a run that was stopped or killed continues from its latest checkpoint to the same bits,
and a finished one is only read.
"""

__all__ = ["read_result", "run_training"]

import contextlib
import fcntl
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import yaml
from rich.console import Console
from torch import nn

from trivium.errors import CheckpointError, TrainingError
from trivium.files import atomic_write, storage_errors
from trivium.objectives.batch import Batch
from trivium.train.checkpoint import Checkpoints, identity_difference, latest
from trivium.train.loop import train
from trivium.train.loss import LossFn, head_loss
from trivium.train.machine import keep_freed_memory, peak_memory_bytes
from trivium.train.metrics import MetricsFile
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import Precision, resolve_precision
from trivium.train.progress import Progress, closing_box
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult, TrainState
from trivium.train.stop import Stop
from trivium.train.trackers import open_tracker
from trivium.train.validation import Validation

_RUN_FILE, _METRICS_FILE, _LOCK_FILE = "run.yaml", "metrics.jsonl", ".lock"


def run_training(
    folder: Path,
    build: Callable[[], nn.Module],
    batches: Callable[[int], Iterable[Batch]],
    settings: TrainSettings,
    save_model: Callable[[Path, nn.Module], None],
    *,
    loss_fn: LossFn = head_loss,
    validate: Callable[[nn.Module], Validation] | None = None,
    identity: Mapping[str, Any] | None = None,
    flops_per_token: float | None = None,
    console: Console | None = None,
    title: str | None = None,
    stop: Stop | None = None,
) -> TrainResult:
    """Train the model that `build` makes in `folder`, or continue there, or read the result of a finished run.

    `build` is called with torch's random generator seeded. `save_model(folder, model)` writes the finished model.
    `identity` is plain data that decides the weights beside `settings` (architecture, data hashes): a folder that holds
    a run of another identity is refused with `CheckpointError`. `console` shows progress; None is silent.
    """
    whole_identity = {"train": settings.trajectory(), **(identity or {})}
    with _locked(folder):
        before = _read_run(folder)
        _check_identity(folder, before, whole_identity)
        if before.get("result"):
            return TrainResult.from_dict(before["result"])
        keep_freed_memory()
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            model = build()
        device = next(model.parameters()).device
        precision = _precision(before, settings, device)
        optimizer = build_optimizer(model, settings, precision.dtype)
        checkpoints = Checkpoints(folder, whole_identity, settings.keep_last, settings.keep_best)
        checkpoint = latest(folder)
        state = checkpoints.load(checkpoint, model, optimizer) if checkpoint else TrainState()
        record = {**_record(settings, precision), "identity": whole_identity}
        atomic_write(folder / _RUN_FILE, yaml.safe_dump(record, sort_keys=False))
        shown = title or folder.name
        with _Reports(folder, settings, state.step, console, shown, flops_per_token, precision, device) as reports:
            if checkpoint:
                reports.say(f"{shown}: continues from step {state.step:,} of {settings.steps:,}")
            try:
                result = train(
                    model,
                    batches,
                    loss_fn,
                    settings,
                    optimizer=optimizer,
                    state=state,
                    precision=precision,
                    validate=validate,
                    save=lambda state: checkpoints.save(model, optimizer, state),
                    report=reports.take,
                    stop=stop,
                    flops_per_token=flops_per_token,
                )
            except TrainingError as error:
                kept = latest(folder)
                where = f"The last checkpoint before it is {kept}." if kept else "There is no checkpoint before it."
                raise TrainingError(f"{error} {where}") from error
        if result.finished:
            save_model(folder, model)
            atomic_write(folder / _RUN_FILE, yaml.safe_dump({**record, "result": result.to_dict()}, sort_keys=False))
        reports.say(closing_box(result, shown))
    return result


def read_result(folder: Path) -> TrainResult | None:
    """The result of a finished run, or None where the folder holds none."""
    result = _read_run(folder).get("result")
    return TrainResult.from_dict(result) if result else None


class _Reports:
    """Hands each row to the metrics file, the tracker and the person."""

    def __init__(
        self,
        folder: Path,
        settings: TrainSettings,
        step: int,
        console: Console | None,
        title: str,
        flops_per_token: float | None,
        precision: Precision,
        device: torch.device,
    ) -> None:
        self.console, self.device = console, device
        self.tracker = open_tracker(settings.report_to, folder, settings.model_dump(mode="json"), step)
        self.metrics = MetricsFile(folder / _METRICS_FILE, step)
        self.progress = console and Progress(
            console,
            settings.steps,
            title=title,
            flops_per_token=flops_per_token,
            peak_flops_per_second=precision.flops_per_second,
        )

    def __enter__(self) -> "_Reports":
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
        self.metrics.append(row)
        if self.tracker:
            self.tracker.log(_numbers(row), row["step"])
        if self.progress:
            self.progress.update(row, peak_memory_bytes(self.device))

    def say(self, what: Any) -> None:
        if self.console:
            self.console.print(what, highlight=False)


def _numbers(row: Mapping[str, Any], prefix: str = "train") -> dict[str, float]:
    """The row's numbers under a tracker's names: `train/loss`, `validation/loss`."""
    inner = row.get("validation")
    if inner:
        return _numbers(inner, "validation")
    return {f"{prefix}/{name}": value for name, value in row.items() if name != "step" and value is not None}


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Only one process trains in a folder. The lock is the system's, so that a killed process holds none."""
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / _LOCK_FILE).open("w")
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CheckpointError(
                f"Another process is training in {folder}. Wait for it, stop it, or train into another folder."
            ) from None
        for rest in [*folder.glob(".checkpoint-*.partial"), *folder.glob(".checkpoint-*.removed")]:
            shutil.rmtree(rest, ignore_errors=True)  # of a process that was killed while it wrote
        yield


def _read_run(folder: Path) -> dict[str, Any]:
    path = folder / _RUN_FILE
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: it was altered. Train into another folder.") from error
    return content if isinstance(content, dict) else {}


def _check_identity(folder: Path, before: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    difference = identity_difference(before["identity"], identity) if "identity" in before else None
    if difference:
        raise CheckpointError(
            f"{folder} holds another run: {difference}. Train into another folder, or with the same settings as before."
        )


def _precision(before: Mapping[str, Any], settings: TrainSettings, device: torch.device) -> Precision:
    """What the run was started with, or else what this machine is faster with."""
    chosen = before.get("precision")
    return Precision(**chosen) if chosen else resolve_precision(settings.precision, device)


def _record(settings: TrainSettings, precision: Precision) -> dict[str, Any]:
    return {
        "trivium": version("trivium"),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "git": _git_state(),
        "settings": settings.model_dump(mode="json"),
        "precision": precision.to_dict(),
    }


def _git_state() -> str | None:
    """The commit of the folder one is in, with `+changes` where files differ from it; None outside a repository."""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=True)
        changed = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + ("+changes" if changed.stdout.strip() else "")
