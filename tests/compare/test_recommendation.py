"""What is recommended, how sure it is said to be, and how many items would make it surer."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.compare.ranking import Ranking, rank
from trivium.compare.recommendation import items_needed, recommend
from trivium.compare.simulation import draw_answers
from trivium.metrics.bootstrap import mean_of


def ranked(items: int, **accuracies: float) -> Ranking:
    """Candidates that are right on exactly these shares, as independent of each other as can be."""
    generator = np.random.default_rng(0)
    columns = {
        name: [mean_of(generator.permutation(np.arange(items) < round(share * items)))]
        for name, share in accuracies.items()
    }
    return rank("accuracy", columns)


def test_a_clear_winner_is_taken_and_its_rivals_are_surely_worse() -> None:
    found = recommend(ranked(1000, a=0.9, b=0.8, c=0.5), {"a": 0.1, "b": 0.09, "c": 0.08}, baselines=["c"])
    assert found.take == "a"
    assert found.probability > 0.99
    assert found.items is None
    assert "as good as certain (over 99%, by 1,000 held-out items)" in str(found)
    assert "Surely worse (95%, all pairs together) are b and c." in str(found)
    assert "surer" not in str(found)
    assert "baseline" not in str(found)


def test_a_difference_that_does_not_matter_goes_to_the_quicker() -> None:
    ranking = ranked(1000, slow=0.905, quick=0.9, bad=0.5)
    found = recommend(ranking, {"slow": 1.0, "quick": 0.01, "bad": 0.01})
    assert found.take == "quick"
    assert "which does not matter by the margin, and quick answers 100 times as fast" in str(found)
    assert "more items would change little" in str(found)
    assert recommend(ranking, {"slow": 1.0, "quick": 0.01, "bad": 0.01}, margin=0).take == "slow"
    assert recommend(ranking, {"slow": 1.0, "quick": 0.9, "bad": 0.01}).take == "slow"


def test_an_open_race_says_so_and_how_many_items_would_tell() -> None:
    found = recommend(ranked(200, a=0.84, b=0.80), {"a": 1.0, "b": 1.0})
    assert found.take == "a"
    assert found.probability < 0.95
    assert "Not surely better or worse is b (-4.0; " in str(found)
    assert found.items is not None
    assert found.items > 200
    assert "items (200 now)" in str(found)


def test_what_does_not_beat_a_baseline_is_said() -> None:
    unsure = recommend(ranked(100, model=0.82, simple=0.80), {"model": 1.0, "simple": 0.9}, baselines=["simple"])
    assert "does not surely beat the baseline simple" in str(unsure)
    beaten = recommend(ranked(1000, model=0.7, simple=0.8), {"model": 1.0, "simple": 0.01}, baselines=["simple"])
    assert beaten.take == "simple"
    assert "It is a baseline: no model here earns its cost." in str(beaten)


def test_a_quick_one_is_named_with_what_it_gives_away() -> None:
    found = recommend(ranked(1000, large=0.9, small=0.8), {"large": 1.0, "small": 0.1})
    assert "Where speed counts: small answers 10 times as fast, for 10.0 points less." in str(found)


def test_one_seed_is_said_to_be_one_seed() -> None:
    ranking = ranked(100, a=0.9, b=0.5)
    assert "another seed would move them" in str(recommend(ranking, {"a": 1, "b": 1}))
    assert "another seed" not in str(recommend(ranking, {"a": 1, "b": 1}, seeds=5))
    assert "another seed" not in str(recommend(ranking, {"a": 1, "b": 1}, baselines=["a", "b"]))


def test_few_items_are_said_to_be_few() -> None:
    said = "fewer than 50 held-out items"
    assert said in str(recommend(ranked(49, a=0.9, b=0.5), {"a": 1, "b": 1}))
    assert said not in str(recommend(ranked(50, a=0.9, b=0.5), {"a": 1, "b": 1}))


def test_one_candidate_was_compared_with_nothing() -> None:
    assert "compared with nothing" in str(recommend(ranked(100, a=0.9), {"a": 1}))


def test_so_many_items_do_tell_a_difference_four_times_in_five() -> None:
    truth, items = [0.84, 0.80], 200
    ranking = rank("accuracy", {"a": [mean_of(np.arange(items) < 168)], "b": [mean_of(np.arange(items) >= 40)]})
    generator = np.random.default_rng(0)
    error = float(np.sqrt(np.mean([_variance(draw_answers(truth, items, 0.5, generator)) for _ in range(200)]) / items))
    needed = items_needed(0.04, error, ranking.critical, items)
    assert needed is not None
    told = 0
    for seed in range(200):
        right = draw_answers(truth, needed, 0.5, generator)
        again = rank("accuracy", {"a": [mean_of(right[:, 0])], "b": [mean_of(right[:, 1])]}, count=200, seed=seed)
        told += again.differences["a", "b"].is_sure
    assert told / 200 == pytest.approx(0.8, abs=0.09)  # three standard errors


def _variance(right: np.ndarray) -> float:
    return float(np.var(right[:, 0].astype(float) - right[:, 1]))


@given(st.floats(0.001, 0.5), st.floats(0.001, 0.1), st.floats(1.9, 4))
def test_smaller_differences_need_more_items(difference: float, error: float, critical: float) -> None:
    needed = [items_needed(difference * times, error, critical, 100) for times in (1, 2, 4)]
    for less, more in pairwise(needed):
        assert more is None or less is None or less >= more
    assert items_needed(0, error, critical, 100) is None
