"""Approach 2: a valley for every compute budget (Hoffmann et al. 2022, section 3.2). No torch.

Runs of one budget differ in size. A parabola through their losses on log N has its lowest point at the best size, and
power laws are drawn through those. A parabola that opens downwards, or is lowest outside the sizes that were tried,
shows no best size: it is kept to be looked at, with the reason, and left out of the law.
"""

__all__ = ["TOLERANCE", "Valley", "budgets_of", "steady_residuals", "valley_of", "valleys_of"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from trivium.scaling.cautions import distinct
from trivium.scaling.envelope import FrontierPoint
from trivium.scaling.points import Point

#: Runs are of one budget where their FLOPs, in order, differ by no more than this part.
TOLERANCE: Final = 0.1
_FEWEST_SIZES: Final = 3
#: Of least absolute deviations: steps, and the residual below which a point pulls no harder.
_REWEIGHTINGS: Final = 40
_SMALLEST: Final = 1e-7


@dataclass(frozen=True)
class Valley:
    """Loss = bend · u² + slope · u + level, u = log(N / middle), over runs of one budget.

    `lowest` is None where there is no minimum to use, and `reason` says why.
    """

    flops: float
    middle: float
    bend: float
    slope: float
    level: float
    least: float
    most: float
    members: tuple[int, ...]
    lowest: FrontierPoint | None
    reason: str = ""

    def loss(self, parameters: float | int) -> float:
        """The parabola at a size."""
        u = np.log(parameters / self.middle)
        return float(self.bend * u * u + self.slope * u + self.level)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


def budgets_of(points: Sequence[Point], tolerance: float = TOLERANCE) -> list[list[int]]:
    """The numbers of the points of each budget, in the order of compute."""
    order = sorted(range(len(points)), key=lambda index: points[index].flops)
    budgets: list[list[int]] = []
    for index in order:
        if budgets and points[index].flops <= points[budgets[-1][-1]].flops * (1 + tolerance):
            budgets[-1].append(index)
        else:
            budgets.append([index])
    return budgets


def valleys_of(
    points: Sequence[Point], tolerance: float = TOLERANCE, weights: Float[np.ndarray, "P"] | None = None
) -> list[Valley]:
    """A valley for every budget of `_FEWEST_SIZES` sizes or more; a point of weight 0 is not there."""
    each = np.ones(len(points)) if weights is None else weights
    valleys = []
    for budget in budgets_of(points, tolerance):
        members = [index for index in budget if each[index] > 0]
        if distinct(points[index].parameters for index in members) >= _FEWEST_SIZES:
            valleys.append(valley_of(points, members, each[members], tolerance))
    return valleys


def valley_of(
    points: Sequence[Point], members: Sequence[int], weights: Float[np.ndarray, "M"], tolerance: float = TOLERANCE
) -> Valley:
    """The parabola of least squares through the points of one budget."""
    there = [points[index] for index in members]
    log_size, log_data, log_flops = np.log([(point.parameters, point.tokens, point.flops) for point in there]).T
    middle = float(np.average(log_size, weights=weights))
    u, square_root = log_size - middle, np.sqrt(weights)
    bend, slope, level = np.polyfit(u, [point.loss for point in there], 2, w=square_root)
    flops = float(np.exp(np.average(log_flops, weights=weights)))
    lowest, reason = None, ""
    if np.ptp(log_flops) > np.log1p(tolerance) * 2:
        reason = f"its runs are {np.exp(np.ptp(log_flops)):.2g} times apart in compute: no one budget"
    elif bend <= 0:
        reason = "its parabola opens downwards"
    elif not u.min() <= -slope / (2 * bend) <= u.max():
        reason = "its minimum lies outside the sizes that were tried"
    else:
        best = -slope / (2 * bend)
        tokens = np.polyval(np.polyfit(u, log_data, 1, w=square_root), best)
        lowest = FrontierPoint(
            flops, float(np.exp(middle + best)), float(np.exp(tokens)), float(level - slope**2 / (4 * bend))
        )
    least, most = float(np.exp(log_size.min())), float(np.exp(log_size.max()))
    numbers = (float(bend), float(slope), float(level))
    return Valley(flops, float(np.exp(middle)), *numbers, least, most, tuple(map(int, members)), lowest, reason)


def steady_residuals(points: Sequence[Point], members: Sequence[int]) -> Float[np.ndarray, "M"]:
    """Measured less predicted log loss about the parabola of least absolute deviations.

    An outlier bends the parabola of least squares towards itself, so that its neighbours look wrong; this one hardly
    feels it.
    """
    u = np.log([points[index].parameters for index in members])
    u -= u.mean()
    losses = np.array([points[index].loss for index in members])
    weights = np.ones(len(members))
    for _ in range(_REWEIGHTINGS):
        predicted = np.polyval(np.polyfit(u, losses, 2, w=np.sqrt(weights)), u)
        weights = 1 / np.maximum(np.abs(losses - predicted), _SMALLEST)
    return np.asarray(np.log(losses / predicted))
