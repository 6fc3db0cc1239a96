"""Numbers with intervals: what a fit says of a law, of a run that is not trained yet, and of a budget. No torch."""

__all__ = ["CONFIDENCE", "Estimate", "Interval", "OptimumEstimate", "Prediction", "percentile_interval"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from trivium.scaling.parametric import Optimum

#: Of every interval.
CONFIDENCE: Final = 0.9


@dataclass(frozen=True)
class Interval:
    """Where a number lies with the confidence of the fit."""

    low: float
    high: float

    def __contains__(self, value: float | int) -> bool:
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """High less low."""
        return self.high - self.low


@dataclass(frozen=True)
class Estimate:
    """A number of a law and its interval; None without a bootstrap."""

    value: float
    interval: Interval | None


class Prediction(NamedTuple):
    """The loss of a run that is not trained yet, in nats a token, and where it will lie with the fit's confidence.

    The interval holds both what the fit does not know and how much single runs scatter about the law.
    """

    loss: float
    low: float
    high: float


@dataclass(frozen=True)
class OptimumEstimate:
    """The best size and tokens for a budget, with intervals. `loss` is None where the law does not say."""

    optimum: Optimum
    parameters: Interval | None
    tokens: Interval | None
    loss: Interval | None
    warning: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "optimum": self.optimum.to_dict()}


def percentile_interval(values: Sequence[float] | np.ndarray) -> Interval | None:
    """The middle nine tenths of the values; None of no values."""
    if not len(values):
        return None
    low, high = np.percentile(values, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Interval(float(low), float(high))
