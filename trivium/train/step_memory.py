"""The memory of a run's own steps: a few of them are counted tensor by tensor, and the largest is kept."""

__all__ = ["StepMemory", "tracked_steps"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trivium.train.tracker import MemoryTracker


@dataclass(frozen=True)
class StepMemory:
    """Bytes of a step's tensors at the moment when they were most, by what they are for. `rest`: activations mostly."""

    weights: int
    gradients: int
    optimizer: int
    rest: int

    @property
    def total(self) -> int:
        """All of them: the peak."""
        return self.weights + self.gradients + self.optimizer + self.rest

    @classmethod
    def at_peak(cls, tracker: MemoryTracker) -> "StepMemory":
        """What stood there at the tracker's peak."""
        parts = tracker.at_peak
        named = {kind: parts.get(kind, 0) for kind in ("weights", "gradients", "optimizer")}
        return cls(**named, rest=sum(parts.values()) - sum(named.values()))

    def larger(self, other: "StepMemory | None") -> "StepMemory":
        """The one of the two whose total is larger."""
        return self if other is None or self.total >= other.total else other

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the total."""
        return {**asdict(self), "total": self.total}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "StepMemory":
        """The memory that `to_dict` gave."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})


def tracked_steps(first: int, steps: int) -> frozenset[int]:
    """The steps, counted from 0, that a process which begins with step `first` of `steps` counts tensor by tensor.

    The second step of a run, since the first makes the optimizer's states; the first one after a resume, which has
    them; and seven more over the run, as batches are not all equal: some have a mask, and targets differ.
    """
    later = {steps * part // 8 for part in range(1, 8)}
    return frozenset({min(max(1, first), steps - 1), *(step for step in later if step > max(1, first))})
