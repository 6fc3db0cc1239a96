"""A workload, run: the real model and optimizer on random tokens, one real step at a time.

B: rows    T: tokens that a row reads    U: tokens at which the head may speak
"""

__all__ = ["Trial", "random_batch"]

import time
from collections.abc import Callable

import torch

from trivium.adapt.low_rank import add_lora
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch
from trivium.plan.workload import Workload
from trivium.train.loop import take_step
from trivium.train.loss import head_loss
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import Precision
from trivium.train.recompute import recompute_blocks
from trivium.train.settings import TrainSettings


def random_batch(workload: Workload, generator: torch.Generator | None = None) -> Batch:
    """A micro-batch of random tokens, with as many targets as the workload says, spread over its rows.

    Where it is `masked`, every row holds two documents.
    """
    architecture, rows = workload.architecture, workload.rows
    read, written = (rows, workload.inputs), (rows, workload.written)
    pair = architecture.kind == "encoder-decoder"
    targets = torch.full((rows * workload.written,), IGNORE)
    positions = torch.randperm(len(targets), generator=generator)[: workload.head_positions]
    targets[positions] = torch.randint(architecture.vocab, (len(positions),), generator=generator)
    return Batch(
        torch.randint(architecture.vocab, read, generator=generator),
        targets.view(written),
        _two_documents(*read) if workload.masked else None,
        torch.randint(architecture.vocab, written, generator=generator) if pair else None,
        _two_documents(*written) if pair and workload.masked else None,
    )


def _two_documents(rows: int, tokens: int) -> torch.Tensor:
    return 1 + (torch.arange(tokens) >= tokens // 2).long().expand(rows, -1)


class Trial:
    """A model that takes steps of one workload on `device`, in the process's own memory and threads.

    `clock` gives seconds: the wall's, or the processor's (`time.process_time`) where others use the machine, too, and
    this process has one thread.
    """

    def __init__(
        self, workload: Workload, device: torch.device, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.workload, self.device, self.clock, self.taken = workload, device, clock, 0
        self.settings = TrainSettings(steps=2**31, optimizer=workload.optimizer)
        self.precision = Precision(workload.precision)
        self.model = Transformer(workload.architecture).to(device)
        if workload.lora is not None:
            add_lora(self.model, workload.lora)
        if workload.activation_checkpointing:
            recompute_blocks(self.model)
        self.optimizer = build_optimizer(self.model, self.settings, self.precision.dtype)
        self.batch = random_batch(workload)

    def step(self) -> float:
        """Take a step and return its seconds."""
        start = self.clock()
        batches = [self.batch] * self.workload.accumulation
        take_step(self.model, batches, head_loss, self.optimizer, self.settings, self.taken, self.precision)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.taken += 1
        return self.clock() - start
