"""Bootstrap: how far a fit would move if the experiments were done again (Efron & Tibshirani 1993). No torch.

Points of one run are not independent: whole runs are drawn, with replacement, as many as there are. A resample is a
row of weights, how often each point is in it, so that all of them are refitted at once, from the minimum of all points.

Letters: S resamples, P points.
"""

__all__ = ["Interval", "percentile_interval", "run_numbers", "run_weights"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from trivium.scaling.points import Point

#: A resample that cannot be fitted is drawn again, so often.
_TRIES: Final = 20


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


def percentile_interval(values: Float[np.ndarray, "S"], confidence: float) -> Interval:
    """The middle part of the values that `confidence` says."""
    low, high = np.percentile(values, [50 * (1 - confidence), 50 * (1 + confidence)])
    return Interval(float(low), float(high))


def run_numbers(points: Sequence[Point]) -> Int[np.ndarray, "P"]:
    """The number of each point's run; a point without a run's name is a run of its own."""
    names = [point.run or index for index, point in enumerate(points)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names])


def run_weights(
    runs: Int[np.ndarray, "P"], resamples: int, seed: int, usable: Callable[[Bool[np.ndarray, "P"]], bool]
) -> Float[np.ndarray, "S P"]:
    """How often each point is in each resample of whole runs.

    A resample of which `usable` says that it holds no fit is drawn again; what stays unusable is left out.
    """
    count = int(runs.max()) + 1
    rows = []
    for generator in np.random.default_rng(seed).spawn(resamples):
        for _ in range(_TRIES):
            drawn = np.bincount(generator.integers(count, size=count), minlength=count)[runs]
            if usable(drawn > 0):
                rows.append(drawn.astype(float))
                break
    return np.array(rows).reshape(-1, len(runs))
