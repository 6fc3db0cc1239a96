"""What points must have before they are fitted, and what is said of a fit that they cannot hold. No torch."""

__all__ = ["FEWEST_DISTINCT", "cautions", "check_points", "distinct", "wide_intervals"]

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from trivium.errors import DataError
from trivium.scaling.descent import LARGEST_EXPONENT, SMALLEST_EXPONENT
from trivium.scaling.estimates import Interval
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point

#: Five numbers are fitted, and something must be left to see how well.
_FEWEST_POINTS: Final = 6
#: With two sizes any α passes through both, by some E and A: the third tells them apart.
FEWEST_DISTINCT: Final = 3
#: Sizes (or tokens) within 2 % of each other are one.
_SAME_WITHIN: Final = 0.02
#: log D that follows from log N to within so much says nothing that N does not.
_COLLINEAR: Final = 0.1


def distinct(values: Iterable[float | int]) -> int:
    """How many values are not within 2 % of a smaller one."""
    count, last = 0, 0.0
    for value in sorted(values):
        if value > last * (1 + _SAME_WITHIN):
            count, last = count + 1, value
    return count


def check_points(points: Sequence[Point], fewest: int = _FEWEST_POINTS) -> None:
    """Raise `DataError` where no law of N and D can be fitted to these points, saying what is missing."""
    for number, point in enumerate(points, 1):
        for name in ("parameters", "tokens", "flops", "loss"):
            value = getattr(point, name)
            if not (math.isfinite(value) and value > 0):
                run = f" (run '{point.run}')" if point.run else ""
                raise DataError(
                    f"Point {number} of {len(points)}{run} has {name} = {value}: a fit takes logarithms, so every "
                    "number must be finite and greater than zero. Correct the point or leave it out."
                )
    if len(points) < fewest:
        raise DataError(
            f"{len(points)} points are too few: a law of five numbers needs {fewest} or more, better twenty. "
            "Train more models, or use a published law."
        )
    for name, letter in (("parameters", "N"), ("tokens", "D")):
        found = distinct(getattr(point, name) for point in points)
        if found < FEWEST_DISTINCT:
            what = f"{found} value{'s' if found > 1 else ''} of {letter} ({name})"
            raise DataError(
                f"The points have {what}, and how loss depends on {letter} needs {FEWEST_DISTINCT} or more that "
                f"differ by over {_SAME_WITHIN:.0%}. Add points of other {name}."
            )
    losses = [point.loss for point in points]
    if max(losses) - min(losses) <= 1e-6 * max(losses):
        raise DataError(
            f"All {len(points)} points have the loss {losses[0]:.6g}: nothing depends on size or data. Is `loss` the "
            "right column?"
        )


def cautions(points: Sequence[Point], law: ParametricLaw) -> list[str]:
    """Sentences on what the points cannot say of L = E + A / N^α + B / D^β."""
    said = []
    log_size, log_data = np.log([(point.parameters, point.tokens) for point in points]).T
    slope, level = np.polyfit(log_size, log_data, 1)
    spread = float(np.std(log_data - slope * log_size - level))
    if spread < _COLLINEAR:
        at_one = " (all points have one D / N)" if abs(slope - 1) < 0.1 else ""
        said.append(
            f"D follows from N to within {spread:.1%}{at_one}: what size does and what data do cannot be told apart. "
            "Train each size on several token counts."
        )
    for letter, value in (("α", law.size_exponent), ("β", law.data_exponent)):
        if value <= SMALLEST_EXPONENT * 1.01 or value >= LARGEST_EXPONENT * 0.99:
            said.append(f"{letter} = {value:.3g} is at the bound of the search: the points do not determine it.")
    smallest = min(point.loss for point in points)
    if law.irreducible < 1e-3 * smallest:
        said.append("E came out as zero: the points are too far from the irreducible loss to see it.")
    for term, letter, scale in (("A / N^α", "A", law.size_scale), ("B / D^β", "B", law.data_scale)):
        exponent, base = (law.size_exponent, log_size) if letter == "A" else (law.data_exponent, log_data)
        if scale * math.exp(-exponent * float(base.min())) < 1e-3 * smallest:
            said.append(f"{term} came out as zero: the points do not show it.")
    return said


def wide_intervals(intervals: Mapping[str, Interval]) -> list[str]:
    """A sentence on the exponents whose interval is wider than half of its middle; none where all are narrow."""
    wide = [
        f"{name} ({interval.low:.2g} to {interval.high:.2g})"
        for name, interval in intervals.items()
        if name in ("alpha", "beta", "a") and interval.width > 0.5 * abs(interval.high + interval.low) / 2
    ]
    if not wide:
        return []
    return [f"The points leave {', '.join(wide)} open: more points, or over a wider range, would narrow it."]
