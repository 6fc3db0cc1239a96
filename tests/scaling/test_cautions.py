"""Points that hold no law are refused with what is missing; what a fit cannot say is said."""

from dataclasses import replace

import pytest

from tests.scaling.planted import CHINCHILLA, measured, planted
from trivium.errors import DataError
from trivium.scaling.cautions import cautions, check_points, distinct, wide_intervals
from trivium.scaling.estimates import Interval
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point

GOOD = planted(0, count=12)


def test_values_that_differ() -> None:
    assert distinct([100, 101, 103, 99, 200]) == 3
    assert distinct([]) == 0


def test_good_points_pass() -> None:
    check_points(GOOD)
    assert cautions(GOOD, CHINCHILLA) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.0])
@pytest.mark.parametrize("name", ["parameters", "tokens", "flops", "loss"])
def test_a_number_without_a_logarithm_is_refused(name: str, value: float) -> None:
    wrong = [*GOOD[:3], replace(GOOD[3], run="seven", **{name: value}), *GOOD[4:]]
    with pytest.raises(DataError, match=rf"^Point 4 of 12 \(run 'seven'\) has {name} = {value}: "):
        check_points(wrong)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([], "^0 points are too few: a law of five numbers needs 6 or more"),
        (GOOD[:5], "^5 points are too few"),
        (
            [replace(point, parameters=1e8) for point in GOOD],
            r"^The points have 1 value of N \(parameters\), .* needs 3",
        ),
        (
            [replace(point, tokens=1e9 * (1 + n % 2)) for n, point in enumerate(GOOD)],
            r"^The points have 2 values of D \(tokens\)",
        ),
        ([replace(point, loss=2.5) for point in GOOD], "^All 12 points have the loss 2.5: nothing depends on size"),
    ],
)
def test_points_that_hold_no_law(points: list[Point], said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_points(points)


def test_one_ratio_of_data_to_size_cannot_tell_them_apart() -> None:
    points = [measured(CHINCHILLA, size, 20 * size) for size in (1e8, 2e8, 4e8, 8e8, 1.6e9, 3.2e9)]
    assert "(all points have one D / N)" in cautions(points, CHINCHILLA)[0]
    one_budget = [measured(CHINCHILLA, size, 1e20 / 6 / size) for size in (1e8, 2e8, 4e8, 8e8, 1.6e9, 3.2e9)]
    (said,) = cautions(one_budget, CHINCHILLA)
    assert said.startswith("D follows from N to within 0.0%: what size does")


@pytest.mark.parametrize(
    ("law", "said"),
    [
        (ParametricLaw(1.7, 400.0, 400.0, 0.005, 0.3), "α = 0.005 is at the bound"),
        (ParametricLaw(1.7, 400.0, 400.0, 0.3, 3.0), "β = 3 is at the bound"),
        (ParametricLaw(1e-5, 400.0, 400.0, 0.3, 0.3), "E came out as zero"),
        (ParametricLaw(1.7, 1e-3, 400.0, 0.3, 0.3), "A / N^α came out as zero"),
        (ParametricLaw(1.7, 400.0, 1e-3, 0.3, 0.3), "B / D^β came out as zero"),
    ],
)
def test_a_law_that_the_points_do_not_hold(law: ParametricLaw, said: str) -> None:
    assert any(sentence.startswith(said) for sentence in cautions(GOOD, law))


def test_wide_intervals_are_named() -> None:
    assert wide_intervals({"alpha": Interval(0.3, 0.4), "A": Interval(1.0, 1000.0)}) == []
    (said,) = wide_intervals({"alpha": Interval(0.1, 0.5), "beta": Interval(0.30, 0.31)})
    assert said.startswith("The points leave alpha (0.1 to 0.5) open")
