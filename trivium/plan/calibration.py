"""How long a real training step takes here: the model is built and stepped, a few times."""

__all__ = ["StepTime", "time_step"]

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from trivium.architecture import Architecture
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.train.loop import take_step
from trivium.train.loss import head_loss
from trivium.train.optimizer import Optimizer, build_optimizer
from trivium.train.precision import Precision, autocast
from trivium.train.recompute import recompute_blocks
from trivium.train.settings import TrainSettings


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step, the making of its batch included, and the tokens that it reads.

    `seconds` is the mean, from which a run's time follows, and `median_seconds` what most steps take.
    `validation_seconds` and `checkpoint_seconds` are those of one, where it was asked for.
    """

    seconds: float
    tokens: float
    median_seconds: float
    validation_seconds: float = 0.0
    checkpoint_seconds: float = 0.0

    @property
    def tokens_per_second(self) -> float:
        """Tokens read in a second of training."""
        return self.tokens / self.seconds


def time_step(
    architecture: Architecture,
    batches: Callable[[int], Iterable[Batch]],
    settings: TrainSettings,
    precision: Precision,
    device: torch.device,
    seconds: float = 1.0,
    *,
    validate: Callable[[nn.Module], object] | None = None,
    save: Callable[[nn.Module, Optimizer], object] | None = None,
) -> StepTime:
    """Take steps for about `seconds`, three at least, and return what one takes; the first does not count.

    `batches(step)` gives a step's micro-batches. `validate` and `save` are called once each, in the end. The caller's
    random generator is left as it was.
    """
    taken: list[float] = []
    tokens: list[int] = []
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        model = Transformer(architecture).to(device)
        if settings.activation_checkpointing:
            recompute_blocks(model)
        optimizer = build_optimizer(model, settings, precision.dtype)
        begin = time.perf_counter()
        while len(taken) < 3 or time.perf_counter() - begin < seconds:
            start, step = time.perf_counter(), len(taken)
            last = settings.steps - 1
            outcome = take_step(model, batches(step), head_loss, optimizer, settings, min(step, last), precision)
            taken.append(_since(start, device))
            tokens.append(outcome.tokens)
        start = time.perf_counter()
        if validate:
            with autocast(precision, device):
                validate(model)
        validation_seconds = _since(start, device)
        start = time.perf_counter()
        if save:
            save(model, optimizer)
        checkpoint_seconds = _since(start, device)
    mean, median = statistics.fmean(taken[1:]), statistics.median(taken[1:])
    return StepTime(mean, statistics.fmean(tokens), median, validation_seconds, checkpoint_seconds)


def _since(start: float, device: torch.device) -> float:
    """Seconds since `start`, with all that was asked of the device done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
