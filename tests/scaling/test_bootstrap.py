"""Resamples keep runs whole, and errors that are drawn are as large as those that were made."""

import numpy as np
import pytest

from trivium.scaling.bootstrap import enlarged, run_numbers, run_shifts, run_weights
from trivium.scaling.points import Point

POINTS = [Point(1.0, 1.0, 6.0, 1.0, run) for run in ("b", "a", "b", "", "", "a", "b")]


def test_a_point_without_a_run_is_a_run() -> None:
    assert run_numbers(POINTS).tolist() == [0, 1, 0, 2, 3, 1, 0]


def test_whole_runs_are_drawn_as_many_as_there_are() -> None:
    runs = run_numbers(POINTS)
    weights = run_weights(runs, 300, 0, lambda drawn: True)
    assert weights.shape == (300, 7)
    for number in range(4):
        members = weights[:, runs == number]
        assert (members == members[:, :1]).all()
    first = [int(np.flatnonzero(runs == number)[0]) for number in range(4)]
    assert (weights[:, first].sum(axis=1) == 4).all()
    assert weights[:, first].mean(axis=0) == pytest.approx([1] * 4, abs=0.2)


def test_the_seed_decides() -> None:
    runs = np.arange(9)
    again = [run_weights(runs, 5, seed, lambda drawn: True) for seed in (0, 0, 1)]
    assert (again[0] == again[1]).all()
    assert (again[0] != again[2]).any()


def test_what_cannot_be_fitted_is_drawn_again_or_left_out() -> None:
    runs = np.arange(4)
    assert (run_weights(runs, 50, 0, lambda drawn: bool(drawn[0]))[:, 0] > 0).all()
    assert run_weights(runs, 50, 0, lambda drawn: False).shape == (0, 4)
    assert run_weights(runs, 0, 0, lambda drawn: True).shape == (0, 4)


def test_residuals_are_enlarged_by_the_numbers_that_were_fitted() -> None:
    assert enlarged([1.0, -1.0] * 5, 5) == pytest.approx(np.array([2, -2] * 5) ** 1 / np.sqrt(2))
    assert np.isfinite(enlarged([1.0, 2.0], 5)).all()


def test_drawn_errors_take_the_place_of_those_made() -> None:
    residuals = 0.01 * np.random.default_rng(0).standard_normal(40)
    shifts = run_shifts(residuals.tolist(), np.arange(40), 4000, 0, 5)
    errors = shifts + residuals
    assert errors.mean(axis=0) == pytest.approx(np.zeros(40), abs=1e-3)
    assert errors.std() == pytest.approx(np.sqrt((residuals**2).sum() / 35), rel=0.02)


def test_points_of_a_run_share_half_of_their_error() -> None:
    runs = np.repeat(np.arange(4), 3)
    residuals = [0.01] * 12
    errors = run_shifts(residuals, runs, 8000, 0, 5) + np.array(residuals)
    correlation = np.corrcoef(errors.T)
    together = correlation[(runs[:, None] == runs) & ~np.eye(12, dtype=bool)]
    apart = correlation[runs[:, None] != runs]
    assert together == pytest.approx(np.full(24, 0.5), abs=0.05)
    assert apart == pytest.approx(np.zeros(108), abs=0.05)
