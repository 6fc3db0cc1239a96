"""Fits end to end: planted laws recovered with noise and outliers, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.scaling.planted import CHINCHILLA, curves, isoflops, measured, planted
from trivium.errors import DataError, UsageError
from trivium.scaling.fit import fit, outliers_of
from trivium.scaling.fit_parametric import Convergence
from trivium.scaling.fitted import Fit
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(planted(5, count=60), bootstrap=100)


def test_the_law_comes_with_intervals_that_hold_what_was_planted(found: Fit) -> None:
    numbers = found.exponents()
    planted_numbers = {"alpha": CHINCHILLA.size_exponent, "beta": CHINCHILLA.data_exponent, "a": CHINCHILLA.size_share}
    for name, value in planted_numbers.items():
        interval = numbers[name].interval
        assert interval is not None
        assert value in interval
        assert numbers[name].value in interval
    assert numbers["a"].value + numbers["b"].value == pytest.approx(1)
    assert found.convergence is not None
    assert found.convergence.converged
    assert len(found.samples) == 100


def test_outliers_are_those_that_went_wrong(found: Fit) -> None:
    wrong = {n for n, p in enumerate(found.points) if p.loss > 1.06 * CHINCHILLA.loss(p.parameters, p.tokens)}
    right = {n for n, p in enumerate(found.points) if p.loss < 1.04 * CHINCHILLA.loss(p.parameters, p.tokens)}
    assert wrong <= set(found.outliers)
    assert not right & set(found.outliers)
    assert len(wrong) > 1
    assert any(said.startswith(f"{len(found.outliers)} of 60 points are outliers: look") for said in found.warnings)


def test_outliers_are_left_out_on_request() -> None:
    points = planted(1, count=20, outliers=0)
    points[7] = replace(points[7], loss=1.2 * points[7].loss)
    without = fit(points, bootstrap=0, drop_outliers=True)
    by_hand = fit(points[:7] + points[8:], bootstrap=0)
    assert without.dropped
    assert without.outliers == (7,)
    assert isinstance(without.law, ParametricLaw)
    assert isinstance(by_hand.law, ParametricLaw)
    assert without.law.size_exponent == pytest.approx(by_hand.law.size_exponent, rel=1e-9)
    assert not any("outliers" in said for said in without.warnings)
    assert without.points == tuple(points), "what was left out is still shown"


@pytest.mark.slow
def test_intervals_hold_the_planted_exponents_as_often_as_they_say() -> None:
    """Fewer than 7 of 10 have a chance of one in 80, at 90 % each. benchmarks/planted_laws.py has a hundred."""
    held = dict.fromkeys(("alpha", "beta", "a"), 0)
    truth = {"alpha": CHINCHILLA.size_exponent, "beta": CHINCHILLA.data_exponent, "a": CHINCHILLA.size_share}
    for seed in range(10):
        numbers = fit(planted(seed + 100, count=30), seed=seed).exponents()
        for name in held:
            interval = numbers[name].interval
            held[name] += interval is not None and truth[name] in interval
    assert min(held.values()) >= 7, held


def test_the_seed_decides() -> None:
    points = isoflops(0, sizes=5)
    once, again, other = (fit(points, 2, bootstrap=20, seed=seed) for seed in (0, 0, 1))
    assert once == again
    assert once.samples != other.samples


def test_a_ladder_of_few_runs_predicts_a_larger_one_within_its_interval() -> None:
    law = ParametricLaw(2.0, 30.0, 200.0, 0.3, 0.35)
    generator = np.random.default_rng(0)
    points = [
        measured(law, size, times * size, shared + 0.002 * generator.standard_normal(), f"run {number}")
        for number, size in enumerate(np.geomspace(2e5, 4e6, 5))
        for shared in [0.002 * generator.standard_normal()]
        for times in (5, 10, 20, 40)
    ]
    found = fit(points)
    predicted = found.predict(12e6, 240e6)
    assert predicted.low < law.loss(12e6, 240e6) < predicted.high
    assert predicted.loss == pytest.approx(law.loss(12e6, 240e6), rel=0.02)
    assert 0.005 < (predicted.high - predicted.low) / predicted.loss < 0.08
    assert len(found.samples) == 200


def test_approaches_1_and_2() -> None:
    for approach, points in ((1, curves(0, moments=25)), (2, isoflops(0))):
        found = fit(points, approach, bootstrap=100)
        interval = found.exponents()["a"].interval
        assert interval is not None
        assert CHINCHILLA.size_share in interval
        assert found.frontier
        assert found.convergence is None


def test_outliers_of_a_valley_are_left_out_of_it() -> None:
    points = isoflops(0, noise=0.002, sizes=7)
    points[22] = replace(points[22], loss=points[22].loss * 1.1)
    found = fit(points, 2, bootstrap=0, drop_outliers=True)
    assert found.outliers == (22,)
    assert found.law.size_share == pytest.approx(CHINCHILLA.size_share, abs=0.01)
    assert found.dropped


def test_a_descent_that_did_not_converge_is_said_first(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = Convergence(False, 1.0, 4500, 40, 1, 1.0, True)
    monkeypatch.setattr("trivium.scaling.fit.fit_parametric", lambda problem: (CHINCHILLA, stopped))
    assert fit(planted(0, count=12), bootstrap=0).warnings[0].startswith("The descent did not converge")


def test_outliers_by_the_median_deviation() -> None:
    assert outliers_of([0.01, -0.01, 0.012, -0.008, 0.5, None]) == (4,)
    assert outliers_of([0.0, 0.0, 1e-9, 0.0]) == ()
    assert outliers_of([None, None]) == ()


def one_loss(points: list[Point]) -> list[Point]:
    return [replace(point, loss=3.0) for point in points]


@pytest.mark.parametrize("approach", [1, 2, 3])
@pytest.mark.parametrize(
    ("points", "said"),
    [
        (planted(0, count=5), "5 points are too few"),
        ([replace(point, parameters=1e9) for point in planted(0, count=9)], "have 1 value of N"),
        ([replace(point, tokens=1e9) for point in planted(0, count=9)], "have 1 value of D"),
        (one_loss(planted(0, count=9)), r"All 9 points have the loss 3: nothing depends on size or data\."),
        ([*planted(0, count=9), Point(1e9, 1e9, 6e18, float("nan"))], "Point 10 of 10 has loss = nan"),
        ([*planted(0, count=9), Point(1e9, 1e9, 6e18, -2.0)], r"Point 10 of 10 has loss = -2\.0"),
    ],
)
def test_points_that_hold_no_law_are_refused(approach: int, points: list[Point], said: str) -> None:
    with pytest.raises(DataError, match=said):
        fit(points, approach)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"approach": 4}, "There is no approach 4"),
        ({"bootstrap": -1}, "-1 resamples: draw up to 10,000"),
        ({"bootstrap": 10**6}, "1000000 resamples"),
    ],
)
def test_options_that_are_none(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fit(planted(0, count=9), **options)


def test_too_many_points_are_refused_before_they_take_hours() -> None:
    with pytest.raises(UsageError, match="20,001 points, over the limit of 20,000"):
        fit([Point(1e9, 1e9, 6e18, 3.0)] * 20_001)
