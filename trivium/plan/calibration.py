"""How long a real training step takes here, and in how much memory: the model is built and stepped, a few times."""

__all__ = ["StepTime", "time_step"]

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from trivium.architecture import Architecture
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.train.loop import take_step
from trivium.train.loss import head_loss
from trivium.train.machine import memory_in_use_bytes, peak_memory_bytes, reset_peak_memory
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step, the making of its batch included, the tokens that it reads, and the memory that it adds.

    `memory_bytes` is the peak beside what the process held before the model was built. On a CPU that is resident
    memory, with what the system's allocator loses between buffers.
    """

    seconds: float
    tokens: float
    memory_bytes: int

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
) -> StepTime:
    """Take steps for about `seconds`, three at least, and return their mean time; the first does not count.

    `batches(step)` gives a step's micro-batches. The caller's random generator is left as it was.
    """
    taken: list[float] = []
    tokens: list[int] = []
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        held = memory_in_use_bytes()[device.type]
        model = Transformer(architecture).to(device)
        optimizer = build_optimizer(model, settings, precision.dtype)
        reset_peak_memory(device)
        begin = time.perf_counter()
        while len(taken) < 3 or time.perf_counter() - begin < seconds:
            start, step = time.perf_counter(), len(taken)
            last = settings.steps - 1
            outcome = take_step(model, batches(step), head_loss, optimizer, settings, min(step, last), precision)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            taken.append(time.perf_counter() - start)
            tokens.append(outcome.tokens)
        memory = peak_memory_bytes(device) - held
    return StepTime(statistics.fmean(taken[1:]), statistics.fmean(tokens), max(0, memory))
