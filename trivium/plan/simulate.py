"""The memory of a training step, simulated: the real model, loss and optimizer on tensors that have no content.

Slower than the formulas (seconds instead of milliseconds) and independent of them: whatever the model's code does is
in it. Nothing is allocated, so a model that fits no machine can be simulated on any.
"""

__all__ = ["SimulatedMemory", "simulate_step"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from trivium.adapt.low_rank import add_lora
from trivium.model import Transformer
from trivium.plan.trial import random_batch
from trivium.plan.workload import Workload
from trivium.train.loop import take_step
from trivium.train.loss import head_loss
from trivium.train.optimizer import Optimizer, build_optimizer
from trivium.train.precision import Precision
from trivium.train.recompute import recompute_blocks
from trivium.train.settings import TrainSettings
from trivium.train.tracker import track

_aten = torch.ops.aten


@dataclass(frozen=True)
class SimulatedMemory:
    """Bytes at the peak of a step, by what they are for; `gradients` are those that are there then."""

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """The peak."""
        return self.weights + self.gradients + self.optimizer + self.activations

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the total."""
        return {**asdict(self), "total": self.total}


def simulate_step(workload: Workload) -> SimulatedMemory:
    """Take a step without content, with the optimizer's states there, and say what stood at its peak."""
    settings, precision = TrainSettings(steps=1, optimizer=workload.optimizer), Precision(workload.precision)
    with FakeTensorMode(allow_non_fake_inputs=True):
        model = Transformer(workload.architecture).train()
        if workload.lora is not None:
            add_lora(model, workload.lora)
        if workload.activation_checkpointing:
            recompute_blocks(model)
        optimizer = build_optimizer(model, settings, precision.dtype)
        _make_states(optimizer)
        batches = [random_batch(workload)] * workload.accumulation
        with _Answers(workload.head_positions), track(model, optimizer) as tracker:
            take_step(model, batches, head_loss, optimizer, settings, 0, precision)
    weights, gradients, states, rest = (
        tracker.at_peak.get(kind, 0) for kind in ("weights", "gradients", "optimizer", "rest")
    )
    return SimulatedMemory(weights, gradients, states, rest)


def _make_states(optimizer: Optimizer) -> None:
    # As a first step would; a task head beside the language model's gets no gradient, and so no state.
    for parameter in optimizer.parameters:
        if not optimizer.names[parameter].startswith("task."):
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step(1.0)


class _Answers(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Answers what only a tensor with content could: a number is 1, and so many positions have a target."""

    def __init__(self, targets: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.targets = targets

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operation, or answer in its place."""
        if func is _aten._local_scalar_dense.default:
            return 1.0 if args[0].is_floating_point() else 1
        if func is _aten.nonzero.default:
            return torch.zeros(self.targets, args[0].dim(), dtype=torch.long, device=args[0].device)
        return func(*args, **(kwargs or {}))
