"""How long a real training step takes here: the model is built and stepped, a few times."""

__all__ = ["StepTime", "time_step"]

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from trivium.architecture import Architecture
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.train.loop import take_step
from trivium.train.loss import head_loss
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step, the making of its batch included, and the tokens that it reads."""

    seconds: float
    tokens: float

    @property
    def tokens_per_second(self) -> float:
        """Tokens read in a second of training."""
        return self.tokens / self.seconds


def time_step(
    architecture: Architecture,
    batch_of: Callable[[int], Batch],
    settings: TrainSettings,
    precision: Precision,
    device: torch.device,
    seconds: float = 1.0,
) -> StepTime:
    """Take steps for about `seconds` (three at least, and the first does not count) and return the median's time."""
    taken: list[float] = []
    tokens: list[int] = []
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        model = Transformer(architecture).to(device)
        optimizer = build_optimizer(model, settings, precision.dtype)
        begin = time.perf_counter()
        while len(taken) < 3 or time.perf_counter() - begin < seconds:
            start, step = time.perf_counter(), len(taken)
            batch, last = batch_of(step), settings.steps - 1
            outcome = take_step(model, [batch], head_loss, optimizer, settings, min(step, last), precision)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            taken.append(time.perf_counter() - start)
            tokens.append(outcome.tokens)
    return StepTime(statistics.median(taken[1:]), statistics.fmean(tokens))
