"""One model's run folder: build or resume, train, save, and say what was done.

    run/
        config.json, model.safetensors, ...   the trained model, once it is finished
        run.yaml                              resolved settings, versions, seed, git state, data, result
        metrics.jsonl                         a row for each step and each validation
        checkpoint-<step>/                    what a resume needs

Run the same again at any time: a run that was stopped or killed continues from its latest checkpoint to the same bits,
and a finished one is only read.
"""

__all__ = ["first_quote", "read_result", "run_training"]

import contextlib
import fcntl
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from rich.console import Console
from torch import nn

from trivium.errors import CheckpointError, TrainingError
from trivium.files import storage_errors
from trivium.objectives.batch import Batch
from trivium.train.bill import Expectation
from trivium.train.checkpoint import Checkpoints, identity_difference, latest
from trivium.train.loop import train
from trivium.train.loss import LossFn, head_loss
from trivium.train.machine import keep_freed_memory, memory_errors, memory_in_use_bytes
from trivium.train.metrics import median_step_seconds
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import Precision, resolve_precision
from trivium.train.progress import closing_box
from trivium.train.record import new_record, read_record, write_record
from trivium.train.reports import METRICS_FILE, Reports
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult, TrainState
from trivium.train.stop import Stop
from trivium.train.validation import Validation
from trivium.versions import versions

_LOCK_FILE = ".lock"


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
    expectation: Expectation | None = None,
    finish_with: Literal["last", "best"] = "last",
) -> TrainResult:
    """Train the model that `build` makes in `folder`, or continue there, or read the result of a finished run.

    `build` is called with torch's random generator seeded. `save_model(folder, model)` writes the finished model.
    `identity` is plain data that decides the weights beside `settings` (architecture, data hashes): a folder that holds
    a run of another identity is refused with `CheckpointError`. `console` shows progress; None is silent.
    `expectation` is written into the record before anything is trained, and compared with the result in the end.
    The finished model is of the last step, or of the lowest validation loss, as always with `settings.patience`.
    """
    whole_identity, shown = {"train": settings.trajectory(), **(identity or {})}, title or folder.name
    with _locked(folder):
        before = read_record(folder)
        _check_identity(folder, before, whole_identity)
        if before.get("result"):
            return TrainResult.from_dict(before["result"])
        keep_freed_memory()
        before_model = memory_in_use_bytes()
        model = _built(build, settings.seed)
        device = next(model.parameters()).device
        precision = _precision(before, settings, device)
        optimizer = build_optimizer(model, settings, precision.dtype)
        checkpoints = Checkpoints(folder, whole_identity, settings.keep_last, settings.keep_best)
        state = checkpoints.load(found, model, optimizer) if (found := latest(folder)) else TrainState()
        record = {**new_record(settings, precision), "identity": whole_identity, **_quoted(expectation)}
        write_record(folder, record)
        with Reports(folder, settings, state, console, shown, flops_per_token, precision, device) as reports:
            if found:
                reports.say(f"{shown}: continues from step {state.step:,} of {settings.steps:,}")
            with _naming_the_last_checkpoint(folder), memory_errors():
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
                    held_bytes=before_model.get(device.type, 0),
                )
        result = replace(result, median_step_seconds=median_step_seconds(folder / METRICS_FILE))
        if result.finished:
            result = _chosen("best" if settings.patience else finish_with, checkpoints, model, result)
            save_model(folder, model)
            write_record(folder, {**record, "result": result.to_dict()})
        reports.say(closing_box(result, shown, expectation.lines(result) if expectation else ()))
    return result


def read_result(folder: Path) -> TrainResult | None:
    """The result of a finished run, or None where the folder holds none."""
    result = read_record(folder).get("result")
    return TrainResult.from_dict(result) if result else None


def first_quote(folder: Path) -> Mapping[str, Any] | None:
    """What was expected when the run in `folder` was begun, as plain data; None where nothing is known of it."""
    quote = read_record(folder).get("quote")
    return quote if isinstance(quote, dict) else None


def _chosen(
    which: Literal["last", "best"], checkpoints: Checkpoints, model: nn.Module, result: TrainResult
) -> TrainResult:
    """Put the weights that the finished model has in place, where they are not those of the last step."""
    if which == "last" or result.best_step is None or result.best_step == result.steps:
        return result
    checkpoints.load_weights(checkpoints.run_folder / f"checkpoint-{result.best_step}", model)
    return replace(result, kept_step=result.best_step)


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


@contextlib.contextmanager
def _naming_the_last_checkpoint(folder: Path) -> Iterator[None]:
    try:
        yield
    except TrainingError as error:
        kept = latest(folder)
        where = f"The last checkpoint before it is {kept}." if kept else "There is no checkpoint before it."
        raise TrainingError(f"{error} {where}") from error


def _built(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    with torch.random.fork_rng([torch.cuda.current_device()] if torch.cuda.is_available() else []):
        torch.manual_seed(seed)
        return build()


def _check_identity(folder: Path, before: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    difference = identity_difference(before["identity"], identity) if "identity" in before else None
    if difference:
        raise CheckpointError(
            f"{folder} holds another run: {difference}. Train into another folder, or with the same settings as before."
        )


def _quoted(expectation: Expectation | None) -> dict[str, Any]:
    """What is expected, with the versions that it was made by, as the record has it."""
    return {"quote": {**versions(), **expectation.to_dict()}} if expectation else {}


def _precision(before: Mapping[str, Any], settings: TrainSettings, device: torch.device) -> Precision:
    """What the run was started with, or else what this machine is faster with."""
    chosen = before.get("precision")
    return Precision(**chosen) if chosen else resolve_precision(settings.precision, device)
