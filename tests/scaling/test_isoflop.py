"""Approach 2: parabolas made by hand are found again, and those that show no best size are left out and said so."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.scaling.isoflop import budgets_of, steady_residuals, valleys_of
from trivium.scaling.points import Point


def parabola(
    flops: float, best: float, bend: float = 0.05, bottom: float = 2.5, sides: tuple[float, ...] = ()
) -> list[Point]:
    """Losses on bottom + bend · log(N / best)²."""
    sizes = [best * math.exp(side) for side in sides or (-1.2, -0.5, 0.1, 0.7, 1.4)]
    return [Point(size, flops / 6 / size, flops, bottom + bend * math.log(size / best) ** 2) for size in sizes]


def test_the_lowest_point_is_found() -> None:
    valley, second = valleys_of([*parabola(1e20, 1.3e9), *parabola(1e19, 4e8, 0.02, 3.0)])[::-1]
    for found, flops, best, bottom in ((valley, 1e20, 1.3e9, 2.5), (second, 1e19, 4e8, 3.0)):
        assert found.lowest is not None
        assert found.lowest.parameters == pytest.approx(best, rel=1e-9)
        assert found.lowest.tokens == pytest.approx(flops / 6 / best, rel=1e-9)
        assert found.lowest.loss == pytest.approx(bottom, rel=1e-12)
        assert found.flops == pytest.approx(flops)
        assert found.loss(best * 2) == pytest.approx(bottom + found.bend * math.log(2) ** 2)


@given(st.floats(1e7, 1e11), st.floats(0.01, 1), st.floats(1, 10), st.floats(1e17, 1e25))
def test_every_parabola_is_found(best: float, bend: float, bottom: float, flops: float) -> None:
    (found,) = valleys_of(parabola(flops, best, bend, bottom))
    assert found.lowest is not None
    assert found.lowest.parameters == pytest.approx(best, rel=1e-6)
    assert found.lowest.loss == pytest.approx(bottom, rel=1e-9)
    assert np.abs(steady_residuals(parabola(flops, best, bend, bottom), found.members)).max() < 1e-9


def test_an_outlier_stands_out_and_its_neighbours_do_not() -> None:
    points = parabola(1e20, 1e9, sides=(-1.5, -1.0, -0.5, 0.1, 0.5, 1.0, 1.5))
    points[2] = replace(points[2], loss=1.1 * points[2].loss)
    off = steady_residuals(points, range(7))
    assert off[2] == pytest.approx(np.log(1.1), rel=1e-3)
    assert np.abs(np.delete(off, 2)).max() < 1e-4


def test_a_valley_upside_down_is_left_out() -> None:
    (found,) = valleys_of(parabola(1e20, 1e9, bend=-0.05))
    assert found.lowest is None
    assert found.reason == "its parabola opens downwards"


def test_a_minimum_outside_the_sizes_is_left_out() -> None:
    (found,) = valleys_of(parabola(1e20, 1e9, sides=(0.2, 0.8, 1.3, 2.0)))
    assert found.lowest is None
    assert found.reason == "its minimum lies outside the sizes that were tried"


def test_runs_are_of_a_budget_within_the_tolerance() -> None:
    points = [Point(size, flops / 6 / size, flops, 3.0) for size, flops in ((1e8, 1e19), (2e8, 1.08e19), (3e8, 1.3e19))]
    assert budgets_of(points) == [[0, 1], [2]]
    assert budgets_of(points, tolerance=0.25) == [[0, 1, 2]]


def test_a_ladder_of_budgets_without_gaps_is_no_budget() -> None:
    points = [Point(1e8 * 1.3**n, 1e9, 1e19 * 1.08**n, 3 + 0.05 * (n - 4) ** 2) for n in range(9)]
    (found,) = valleys_of(points)
    assert found.lowest is None
    assert "1.9 times apart in compute" in found.reason


def test_two_sizes_make_no_valley() -> None:
    assert valleys_of(parabola(1e20, 1e9, sides=(-1.0, 1.0))) == []


def test_a_point_of_weight_zero_is_not_there() -> None:
    points = parabola(1e20, 1e9)
    spoiled = [*points, Point(1.1e9, 1e20 / 6.6e9, 1e20, 9.0)]
    (found,) = valleys_of(spoiled, weights=np.array([1.0] * 5 + [0.0]))
    (clean,) = valleys_of(points)
    assert found.lowest == clean.lowest
