"""The intervals cover in comparisons of which the truth is known; the whole table: benchmarks/compare_coverage.py."""

import numpy as np
import pytest

from trivium.compare.simulation import draw_answers, simulate

#: Three standard errors of a share of 0.95 in so many comparisons.
COMPARISONS = 200
LEAST = 0.95 - 3 * np.sqrt(0.95 * 0.05 / COMPARISONS)


def test_answers_are_right_as_often_as_they_should_and_agree_more_than_by_chance() -> None:
    right = draw_answers([0.9, 0.7, 0.7], 40_000, 0.5, np.random.default_rng(0))
    assert right.mean(axis=0) == pytest.approx([0.9, 0.7, 0.7], abs=0.01)
    by_chance = 0.7**2 + 0.3**2
    assert (right[:, 1] == right[:, 2]).mean() > by_chance + 0.1


@pytest.mark.parametrize(("items", "candidates", "spread"), [(60, 2, 0.0), (60, 5, 0.05), (200, 3, 0.03)])
def test_the_intervals_cover(items: int, candidates: int, spread: float) -> None:
    found = simulate(spread, items=items, candidates=candidates, comparisons=COMPARISONS, resamples=400, seed=1)
    assert found.differences >= LEAST
    assert found.best_kept >= LEAST
    assert found.scores >= LEAST
    assert found.called_rightly >= 0.9


def test_the_intervals_cover_what_other_seeds_would_do() -> None:
    def differences(seeds: int) -> float:
        found = simulate(
            0.0,
            items=150,
            candidates=2,
            comparisons=COMPARISONS,
            resamples=400,
            seeds=seeds,
            seed_spread=0.04,
        )
        return found.differences

    assert differences(seeds=3) >= LEAST
    assert differences(seeds=1) < LEAST  # one seed cannot show how much seeds differ


def test_intervals_are_not_wider_than_they_must_be() -> None:
    found = simulate(0.1, items=300, candidates=2, comparisons=100, resamples=300)
    assert found.called > 0.5  # candidates that differ by 0.14 on average are told apart


def test_what_is_said_of_the_best_comes_true_about_as_often() -> None:
    found = simulate(0.05, items=200, candidates=3, comparisons=200, resamples=300)
    assert found.stated == pytest.approx(found.came_true, abs=0.1)
