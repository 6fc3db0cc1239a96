"""Approach 1: the lowest of all training curves at every compute (Hoffmann et al. 2022, section 3.1). No torch.

Each curve is interpolated, log loss on log C, at 1,500 values of compute. The run that is lowest there gives the best
size and its tokens, and power laws are drawn through those.

At both ends the lowest run is the smallest or the largest model only because there is none beyond it. Where enough
sizes are left in between, those ends are left out.

Letters: R runs, G values of compute.
"""

__all__ = ["Curves", "FrontierPoint", "curves_of", "lowest_of"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from trivium.errors import DataError
from trivium.scaling.cautions import distinct
from trivium.scaling.points import Point

_VALUES: Final = 1500
#: Sizes between the ends with which the ends are left out.
_ENOUGH_INSIDE: Final = 3


@dataclass(frozen=True)
class FrontierPoint:
    """The best size at a compute, as measured; `loss` is interpolated or a valley's minimum."""

    flops: float
    parameters: float
    tokens: float
    loss: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


@dataclass(frozen=True)
class Curves:
    """Training curves on one grid of compute; a run's log loss is infinite where it has no curve."""

    names: tuple[str, ...]
    flops: Float[np.ndarray, "G"]
    sizes: Float[np.ndarray, "R"]
    log_losses: Float[np.ndarray, "R G"]
    log_tokens: Float[np.ndarray, "R G"]


def curves_of(points: Sequence[Point]) -> Curves:
    """The points of each run as a curve. Raises `DataError` where runs have no names, or too few have a curve."""
    runs: dict[str, list[Point]] = {}
    for point in points:
        if point.run:
            runs.setdefault(point.run, []).append(point)
    curves = {name: sorted(found, key=lambda point: point.flops) for name, found in runs.items() if len(found) > 1}
    if distinct(found[0].parameters for found in curves.values()) < 2:
        raise DataError(
            f"Approach 1 draws the envelope of training curves: the points hold {len(curves)} runs of more than one "
            "point, and curves of two or more sizes are needed. Name the column of runs (--run), or use approach 3."
        )
    every = np.log([point.flops for found in curves.values() for point in found])
    grid = np.linspace(every.min(), every.max(), _VALUES)
    shape = (len(curves), _VALUES)
    losses, tokens = np.full(shape, np.inf), np.zeros(shape)
    for row, found in enumerate(curves.values()):
        log_flops = np.log([point.flops for point in found])
        inside = (grid >= log_flops[0]) & (grid <= log_flops[-1])
        losses[row, inside] = np.interp(grid[inside], log_flops, np.log([point.loss for point in found]))
        tokens[row] = np.interp(grid, log_flops, np.log([point.tokens for point in found]))
    sizes = np.array([found[0].parameters for found in curves.values()], dtype=float)
    return Curves(tuple(curves), np.exp(grid), sizes, losses, tokens)


def lowest_of(curves: Curves, chosen: Float[np.ndarray, "R"] | None = None) -> tuple[Float[np.ndarray, "K 4"], bool]:
    """The lowest run at every compute as rows of C, N, D and L, and whether the two ends could be left out.

    `chosen`: the runs whose weight is not 0.
    """
    losses = curves.log_losses if chosen is None else np.where(chosen[:, None] > 0, curves.log_losses, np.inf)
    best = losses.argmin(axis=0)
    columns = np.arange(losses.shape[1])
    there = np.isfinite(losses[best, columns])
    sizes = curves.sizes[best]
    run_sizes = curves.sizes[np.isfinite(losses).any(axis=1)]
    inside = there & (sizes > run_sizes.min() * 1.001) & (sizes < run_sizes.max() / 1.001)
    closed = distinct(sizes[inside]) >= _ENOUGH_INSIDE
    at = columns[inside if closed else there]
    rows = [curves.flops[at], sizes[at], np.exp(curves.log_tokens[best[at], at]), np.exp(losses[best[at], at])]
    return np.stack(rows, axis=1), closed
