"""Notices a run that goes wrong while it runs: a loss that jumps up and stays there."""

__all__ = ["LossWatch"]

import math
from dataclasses import dataclass
from typing import Self

#: Part of the old mean that stays in the running mean at each step: it looks back over about 20 steps.
MEMORY = 0.95


@dataclass(frozen=True)
class LossWatch:
    """A running mean of the loss, its lowest value so far, and for how many steps in a row the loss has been far above it.

    Part of the loop's state: a resumed run watches on from where it was.
    """

    mean: float = math.nan
    lowest: float = math.inf
    steps_above: int = 0

    def after(self, loss: float, spike_nats: float) -> Self:
        """The watch after one more step's loss. A loss that is a spike does not enter the mean."""
        if loss > self.lowest + spike_nats:
            return type(self)(self.mean, self.lowest, self.steps_above + 1)
        mean = loss if math.isnan(self.mean) else MEMORY * self.mean + (1 - MEMORY) * loss
        return type(self)(mean, min(self.lowest, mean), 0)
