"""The loop. A step is: micro-batches, backward, clip, optimizer, log. It knows batches, a loss and a model.

The gradient of a step is that of the loss summed over all its targets and divided by their number, so that N
micro-batches equal one big one. Every random draw of a step (dropout) is a function of (seed, step), so that a run that
is stopped and resumed is the same run.
"""

__all__ = ["StepOutcome", "take_step", "train"]

import contextlib
import math
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from trivium.errors import TrainingError
from trivium.objectives.batch import Batch
from trivium.train.loss import LossFn
from trivium.train.machine import peak_memory_bytes, reset_peak_memory
from trivium.train.optimizer import Optimizer, build_optimizer
from trivium.train.precision import Precision, autocast, resolve_precision
from trivium.train.recompute import recompute_blocks
from trivium.train.schedule import learning_rate_multiplier
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult, TrainState
from trivium.train.step_memory import StepMemory, tracked_steps
from trivium.train.stop import Stop, stop_on_signals
from trivium.train.tracker import track
from trivium.train.validation import Validation


@dataclass(frozen=True)
class StepOutcome:
    """What one step saw: loss in nats per target, the gradient's norm before clipping, tokens read, targets."""

    loss: float
    gradient_norm: float
    learning_rate: float
    tokens: int
    targets: int


def train(
    model: nn.Module,
    batches: Callable[[int], Iterable[Batch]],
    loss_fn: LossFn,
    settings: TrainSettings,
    *,
    optimizer: Optimizer | None = None,
    state: TrainState | None = None,
    precision: Precision | None = None,
    validate: Callable[[nn.Module], Validation] | None = None,
    save: Callable[[TrainState], object] | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
    stop: Stop | None = None,
    flops_per_token: float | None = None,
    held_bytes: int = 0,
) -> TrainResult:
    """Train `model` in place from `state` to `settings.steps` steps, or until `settings.patience` is at its end.

    `batches(step)` gives the micro-batches of a step, counted from 0. `save` keeps a checkpoint, `report` receives a
    row for each step and each validation. `held_bytes` were in use before the model was built: the peak is counted
    beside them. SIGINT, SIGTERM and `stop` end it after the step it is in, with a checkpoint.
    Raises `TrainingError` where a loss or a gradient is not finite (that step is not applied) or a spike does not end.
    """
    device = next(model.parameters()).device
    precision = precision or resolve_precision(settings.precision, device)
    optimizer = optimizer or build_optimizer(model, settings, precision.dtype)
    state, stop = state or TrainState(), stop or Stop()
    report = report or (lambda row: None)
    saver = _Saver(save, settings, state.step)
    tracked, taken = tracked_steps(state.step, settings.steps), []
    if settings.activation_checkpointing:
        recompute_blocks(model)
    reset_peak_memory(device)
    model.train()
    with stop_on_signals(stop), torch.random.fork_rng([device] if device.type == "cuda" else []):
        begin = time.perf_counter()
        while not stop.requested or state.ended(settings):  # a run that is through ends as a whole one
            improved = False
            if validate and _validation_due(state, settings):
                with autocast(precision, device):
                    before, state = state, state.with_validation(validate(model))
                improved = state.best_validation_loss != before.best_validation_loss
                report({"step": state.step, "validation": state.validation.to_dict() if state.validation else None})
            state = state.with_peak(max(0, peak_memory_bytes(device) - held_bytes))
            if saver.due(state, improved):
                saver.save(state, improved)
            if state.ended(settings):
                break
            start = time.perf_counter()
            state = state.after_a_pause(start - begin)
            _seed(settings.seed, state.step)
            watch = track(model, optimizer) if state.step in tracked else contextlib.nullcontext()
            with watch as tracker:
                outcome = take_step(model, batches(state.step), loss_fn, optimizer, settings, state.step, precision)
            begin = time.perf_counter()
            taken.append(begin - start)
            state = state.after(outcome.loss, outcome.tokens, outcome.targets, taken[-1], settings.spike_nats)
            state = state if tracker is None else state.with_memory(StepMemory.at_peak(tracker))
            report(_row(state, outcome, taken[-1], flops_per_token))
            state.watch.check(state.step, outcome.loss, settings.spike_nats, settings.spike_steps)
        saver.save(state)
        state = state.after_a_pause(time.perf_counter() - begin)
    stopped_by = None if state.ended(settings) else stop.reason
    parameters = sum(parameter.numel() for parameter in model.parameters())
    median = statistics.median(taken) if taken else None
    return TrainResult.of(state, stopped_by, flops_per_token, parameters, median, device.type)


def take_step(
    model: nn.Module,
    micro_batches: Iterable[Batch],
    loss_fn: LossFn,
    optimizer: Optimizer,
    settings: TrainSettings,
    step: int,
    precision: Precision,
) -> StepOutcome:
    """One optimizer step, number `step` counted from 0, over `micro_batches`."""
    device = next(model.parameters()).device
    loss_sum, targets, tokens = torch.zeros((), device=device), 0, 0
    for batch in micro_batches:
        with autocast(precision, device):
            part = loss_fn(model, batch.to(device))
        part.loss_sum.backward()  # type: ignore[no-untyped-call]
        loss_sum += part.loss_sum.detach()
        targets, tokens = targets + part.targets, tokens + batch.tokens
    if targets == 0:
        raise TrainingError(f"Step {step} has no target in any of its rows: take more rows a step.")
    gradients = [p.grad for p in optimizer.parameters if p.grad is not None]
    # One wait for the device a step: for the two numbers that decide whether it may be applied.
    loss, norm = (torch.stack([loss_sum, torch.nn.utils.get_total_norm(gradients)]) / targets).tolist()
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise TrainingError(_not_finite(step, loss, optimizer))
    clip = 1.0 if settings.clip_norm is None else min(1.0, settings.clip_norm / max(norm, 1e-12))
    torch._foreach_mul_(gradients, clip / targets)
    multiplier = learning_rate_multiplier(step, settings)
    optimizer.step(multiplier)
    return StepOutcome(loss, norm, multiplier * settings.learning_rate, tokens, targets)


class _Saver:
    """Saves a checkpoint when it is time, and never twice the same state."""

    def __init__(self, save: Callable[[TrainState], object] | None, settings: TrainSettings, step: int) -> None:
        self.save_state, self.settings = save, settings
        self.saved_step, self.saved_at = step, time.monotonic()

    def due(self, state: TrainState, improved: bool) -> bool:
        if improved and self.settings.keep_best:
            return True
        if state.watch.steps_above > 0:
            return False  # a spike must not push the good checkpoints out
        every, every_seconds = self.settings.checkpoint_every, self.settings.checkpoint_every_seconds
        return (every is not None and state.step % every == 0) or (
            every_seconds is not None and time.monotonic() - self.saved_at >= every_seconds
        )

    def save(self, state: TrainState, improved: bool = False) -> None:
        # A checkpoint that was saved before its validation does not know yet that it is the best: it is saved again.
        if self.save_state and (state.step > self.saved_step or improved):
            self.save_state(state)
            self.saved_step, self.saved_at = state.step, time.monotonic()


def _validation_due(state: TrainState, settings: TrainSettings) -> bool:
    every, step = settings.validate_every, state.step
    return state.validated_step < step and (step == settings.steps or (every is not None and step % every == 0))


def _seed(seed: int, step: int) -> None:
    torch.manual_seed(int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0]))


def _row(state: TrainState, outcome: StepOutcome, seconds: float, flops_per_token: float | None) -> dict[str, Any]:
    row = {
        "step": state.step,
        "loss": outcome.loss,
        "gradient_norm": outcome.gradient_norm,
        "learning_rate": outcome.learning_rate,
        "tokens": state.tokens,
        "targets": state.targets,
        "seconds": state.seconds,
        "step_seconds": seconds,
        "tokens_per_second": outcome.tokens / seconds,
    }
    if flops_per_token is not None:
        row["flops_per_second"] = flops_per_token * row["tokens_per_second"]
    return row


def _not_finite(step: int, loss: float, optimizer: Optimizer) -> str:
    bad = (p for p in optimizer.parameters if p.grad is not None and not torch.isfinite(p.grad).all())
    first = next(bad, None)
    where = f"the gradient of {optimizer.names[first]}" if first is not None else "the gradient's norm"
    return (
        f"At step {step} the loss is {loss} and {where} is not finite, so the step was not applied. Lower "
        "learning_rate, lengthen the warm-up, set clip_norm, or use precision float32."
    )
