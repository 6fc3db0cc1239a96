"""Approach 1: which curve is lowest where, on curves that cross at a known compute."""

import math

import numpy as np
import pytest

from tests.scaling.planted import CHINCHILLA, curves
from trivium.errors import DataError
from trivium.scaling.envelope import curves_of, lowest_of
from trivium.scaling.points import Point


def line(size: float, loss_at: float, slope: float, run: str) -> list[Point]:
    """A curve that is straight in logarithms: loss_at · (C / 1e18)^slope."""
    moments = np.geomspace(1e17, 1e22, 21)
    return [Point(size, flops / 6 / size, float(flops), loss_at * (flops / 1e18) ** slope, run) for flops in moments]


#: Two models: the small one is lower up to 1e18 exactly, the large one from there.
CROSSING = [*line(1e8, 4.0, -0.02, "small"), *line(1e9, 4.0, -0.05, "large")]


def test_the_lowest_curve_changes_where_they_cross() -> None:
    lowest, _ = lowest_of(curves_of(CROSSING))
    flops, sizes, tokens, losses = lowest.T
    assert set(sizes[flops < 0.99e18]) == {1e8}
    assert set(sizes[flops > 1.01e18]) == {1e9}
    np.testing.assert_allclose(tokens, flops / 6 / sizes, rtol=1e-9)
    np.testing.assert_allclose(losses, np.minimum(4 * (flops / 1e18) ** -0.02, 4 * (flops / 1e18) ** -0.05), rtol=1e-9)


def test_a_curve_says_nothing_beyond_its_ends() -> None:
    short = [point for point in CROSSING if point.run == "large" or point.flops < 4e17]
    lowest, _ = lowest_of(curves_of(short))
    assert set(lowest[lowest[:, 0] > 4e17, 1]) == {1e9}
    assert set(lowest[lowest[:, 0] < 3e17, 1]) == {1e8}


def test_both_ends_are_left_out_where_enough_sizes_are_between() -> None:
    found = curves_of(curves(0, noise=0))
    lowest, closed = lowest_of(found)
    assert closed
    assert lowest[:, 1].min() > found.sizes.min()
    assert lowest[:, 1].max() < found.sizes.max()
    two, closed_with_two = lowest_of(curves_of(CROSSING))
    assert not closed_with_two
    assert len(two) == 1500


def test_the_frontier_lies_along_the_laws_own_optimum() -> None:
    lowest, _ = lowest_of(curves_of(curves(0, noise=0)))
    off = [math.log(size / CHINCHILLA.optimum(flops).parameters) for flops, size, _, _ in lowest[::50]]
    assert max(map(abs, off)) < 0.36  # between two sizes that are a factor of 1.52 apart, and interpolation


def test_a_run_that_is_not_drawn_is_not_there() -> None:
    lowest, _ = lowest_of(curves_of(CROSSING), np.array([0.0, 1.0]))
    assert set(lowest[:, 1]) == {1e9}


@pytest.mark.parametrize(
    "points",
    [
        [point for point in CROSSING if point.run == "small"],
        [Point(point.parameters, point.tokens, point.flops, point.loss) for point in CROSSING],
    ],
)
def test_without_two_curves_there_is_no_envelope(points: list[Point]) -> None:
    with pytest.raises(DataError, match=r"curves of two or more sizes are needed\. Name the column of runs"):
        curves_of(points)
