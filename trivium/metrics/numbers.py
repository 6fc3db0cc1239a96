"""How well numbers agree: their correlation, and how far they are off. No torch.

    Pearson     cov(x, y) / sqrt(var x · var y)
    Spearman    Pearson of the ranks, equal values sharing the mean of theirs

A correlation is not a number where one side does not vary.

Letters: S resamples, N items.
"""

__all__ = ["Spearman", "mean_absolute_error", "pearson", "spearman"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from trivium.metrics.bootstrap import Sums, mean_of


def mean_absolute_error(truth: Sequence[float], said: Sequence[float]) -> Sums:
    """The mean distance, in the data's own unit."""
    return mean_of(np.abs(np.asarray(truth, dtype=float) - np.asarray(said, dtype=float)))


def pearson(truth: Sequence[float], said: Sequence[float]) -> Sums:
    """Pearson's correlation."""
    x, y = (_centred(side) for side in (truth, said))
    return Sums(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1), _correlation)


@dataclass(frozen=True, eq=False)
class Spearman:
    """Spearman's correlation of two sides; ranks are taken anew in each resample."""

    truth: Float[np.ndarray, "N"]
    said: Float[np.ndarray, "N"]

    @property
    def items(self) -> int:
        """How many items there are."""
        return len(self.truth)

    def __call__(self, weights: Float[np.ndarray, "S N"]) -> Float[np.ndarray, "S"]:
        """The correlation for each row of weights."""
        x, y = (_ranks(side, weights) for side in (self.truth, self.said))
        sums = [weights, weights * x, weights * y, weights * x * x, weights * y * y, weights * x * y]
        with np.errstate(divide="ignore", invalid="ignore"):
            return _correlation(np.stack([each.sum(axis=1) for each in sums], axis=1))


def spearman(truth: Sequence[float], said: Sequence[float]) -> Spearman:
    """Spearman's correlation."""
    return Spearman(np.asarray(truth, dtype=float), np.asarray(said, dtype=float))


def _centred(side: Sequence[float]) -> Float[np.ndarray, "N"]:
    """Less their mean and scaled, so that sums of squares lose no digits."""
    values = np.asarray(side, dtype=float)
    values = values - values.mean()
    return np.asarray(values / (np.abs(values).max() or 1.0))


def _ranks(values: Float[np.ndarray, "N"], weights: Float[np.ndarray, "S N"]) -> Float[np.ndarray, "S N"]:
    """The mean rank of each value among weighted ones, less the mean of all, as a share of their number."""
    distinct, place = np.unique(values, return_inverse=True)
    shares = np.zeros((len(weights), len(distinct)))
    for row, each in zip(shares, weights, strict=True):
        row += np.bincount(place, weights=each, minlength=len(distinct))
    last = np.cumsum(shares, axis=1)
    return np.asarray((last - shares / 2 - last[:, -1:] / 2)[:, place] / max(1, len(values)))


def _correlation(sums: Float[np.ndarray, "S 6"]) -> Float[np.ndarray, "S"]:
    count, x, y, xx, yy, xy = sums.T
    spread_x, spread_y = count * xx - x * x, count * yy - y * y
    nothing = 1e-12 * count * count  # what rounding leaves of a side that does not vary
    varies = (spread_x > nothing) & (spread_y > nothing)
    spread = np.sqrt(np.where(varies, spread_x * spread_y, 1.0))
    return np.asarray(np.where(varies, (count * xy - x * y) / spread, np.nan))
