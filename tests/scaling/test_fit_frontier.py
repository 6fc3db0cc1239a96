"""Approaches 1 and 2 end to end: planted power laws, and points that show none."""

import pytest

from tests.scaling.planted import CHINCHILLA, curves, isoflops
from tests.scaling.test_envelope import line
from tests.scaling.test_isoflop import parabola
from trivium.errors import DataError
from trivium.scaling.fit_frontier import fit_envelope, fit_isoflop


def test_valleys_on_a_power_law_give_its_exponents() -> None:
    points = [point for flops in (1e18, 1e19, 1e20) for point in parabola(flops, 0.1 * flops**0.497)]
    found = fit_isoflop(points, 0, 0)
    assert found.law.parameters.exponent == pytest.approx(0.497, rel=1e-9)
    assert found.law.tokens.exponent == pytest.approx(0.503, rel=1e-9)
    assert found.law.parameters(1e21) == pytest.approx(0.1 * 1e21**0.497, rel=1e-6)
    assert found.warnings == ()
    assert max(abs(residual) for residual in found.residuals if residual is not None) < 1e-12


def test_a_valley_without_a_minimum_is_shown_and_not_in_the_law() -> None:
    good = [point for flops in (1e18, 1e19, 1e20) for point in parabola(flops, 0.1 * flops**0.497)]
    found = fit_isoflop([*good, *parabola(1e21, 1e10, bend=-0.1)], 0, 0)
    assert found.law.parameters.exponent == pytest.approx(0.497, rel=1e-9)
    assert len(found.valleys) == 4
    assert len(found.frontier) == 3
    assert found.warnings == ("The valley at 1e+21 FLOPs is left out: its parabola opens downwards.",)


def test_two_valleys_are_a_line_whatever_they_are() -> None:
    points = [point for flops in (1e18, 1e20) for point in parabola(flops, 0.1 * flops**0.5)]
    assert fit_isoflop(points, 0, 0).warnings == ("Two valleys draw a line whatever they are: a third would test it.",)


def test_too_few_valleys_say_why() -> None:
    points = [*parabola(1e19, 1e9), *parabola(1e20, 1e9, bend=-1)]
    with pytest.raises(DataError, match=r"^1 of 2 budgets .* two: at 1e\+20 FLOPs its parabola opens downwards"):
        fit_isoflop(points, 0, 0)


def test_intervals_hold_what_was_planted() -> None:
    found = fit_isoflop(isoflops(0), 100, 0)
    exponents = sorted(sample.parameters.exponent for sample in found.samples)
    assert len(exponents) == 100
    assert exponents[5] < CHINCHILLA.size_share < exponents[-5]


def test_the_envelope_of_planted_curves() -> None:
    found = fit_envelope(curves(0), 100, 0)
    exponents = sorted(sample.parameters.exponent for sample in found.samples)
    assert exponents[5] < CHINCHILLA.size_share < exponents[-5]
    assert found.law.tokens.exponent == pytest.approx(1 - found.law.parameters.exponent, abs=1e-6)
    assert found.warnings == ()
    assert set(found.residuals) == {None}


def test_an_envelope_of_few_sizes_is_said_to_be_one() -> None:
    found = fit_envelope(curves(0, runs=3), 0, 0)
    assert "make its exponents too small" in found.warnings[0]


def test_one_size_that_is_lowest_everywhere_shows_no_frontier() -> None:
    with pytest.raises(DataError, match="One size is lowest at every compute"):
        fit_envelope([*line(1e8, 3.0, -0.05, "small"), *line(1e9, 4.0, -0.05, "large")], 0, 0)
