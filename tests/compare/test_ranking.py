"""Rankings against what can be worked out by hand, by McNemar's test, and by each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from trivium.compare.ranking import Ranking, rank
from trivium.errors import UsageError
from trivium.metrics.bootstrap import Sums, mean_of


def ranked(**right: list[bool]) -> Ranking:
    return rank("accuracy", {name: [mean_of(answers)] for name, answers in right.items()})


def answers(items: int, *wrong: int) -> list[bool]:
    return [place not in wrong for place in range(items)]


def test_two_candidates_have_the_error_of_a_paired_difference() -> None:
    a, b = np.zeros(400, bool), np.zeros(400, bool)
    a[:300], b[40:280] = True, True  # 60 only a, none only b
    found = ranked(a=a.tolist(), b=b.tolist())
    by_hand = np.sqrt((0.15 - 0.15**2) / 400 + 1 / 402**2)
    assert found.error("a", "b") == pytest.approx(by_hand, rel=0.04)
    assert found.critical == pytest.approx(norm.ppf(0.975), rel=0.04)
    assert found.differences["a", "b"].value == pytest.approx(0.15)
    assert found.differences["a", "b"].is_sure


def test_an_interval_alone_is_that_of_wilson() -> None:
    right = answers(200, *range(30))
    score = ranked(a=right, b=answers(200, *range(90))).best.score
    expected = binomtest(170, 200).proportion_ci(method="wilson")
    assert (score.low, score.high) == pytest.approx((expected.low, expected.high), abs=0.003)


def test_a_perfect_score_is_not_certain() -> None:
    found = ranked(perfect=answers(50), good=answers(50, 1))
    assert found.best.score.low == pytest.approx(binomtest(50, 50).proportion_ci(method="wilson").low, abs=1e-9)
    assert found.best.score.high == 1
    assert not found.differences["perfect", "good"].is_sure
    assert len(found.contenders) == 2


def test_equal_answers_are_equally_good_and_not_surely_equal() -> None:
    found = ranked(a=answers(100, 1, 2, 3), b=answers(100, 1, 2, 3))
    difference = found.differences["a", "b"]
    assert difference.value == 0
    assert difference.low < 0 < difference.high < 0.03
    assert found["a"].probability_best == pytest.approx(0.5, abs=0.05)
    assert difference.p_value > 0.9


def test_more_candidates_make_each_pair_less_sure() -> None:
    generator = np.random.default_rng(0)
    columns = {str(place): (generator.random(300) < 0.7).tolist() for place in range(8)}
    two = ranked(**{"0": columns["0"], "1": columns["1"]})
    eight = ranked(**columns)
    assert eight.critical > two.critical + 0.8  # Tukey's studentized range over root 2: 3.0 for 8, 1.96 for 2
    assert eight.critical == pytest.approx(3.03, abs=0.1)
    assert eight.differences["0", "1"].p_value > two.differences["0", "1"].p_value


def test_one_candidate_is_the_best_of_one() -> None:
    found = ranked(a=answers(30, 1))
    assert found.best.behind is None
    assert found.best.probability_best == 1
    assert found.probability_within("a", 0) == 1


def test_seeds_that_differ_widen_the_interval() -> None:
    scattered = [mean_of(answers(500, *range(wrong))) for wrong in (50, 100, 150)]
    alone = rank("accuracy", {"a": [mean_of(answers(500, *range(100)))]}).best.score
    found = rank("accuracy", {"a": scattered}).best.score
    assert found.value == pytest.approx(0.8)
    assert found.low is not None
    assert alone.low is not None
    assert found.low < alone.low - 0.03


def test_a_metric_on_another_scale_has_the_same_ranking() -> None:
    generator = np.random.default_rng(0)
    right = {name: generator.random(200) < share for name, share in (("a", 0.8), ("b", 0.7), ("c", 0.4))}
    shares = rank("accuracy", {name: [mean_of(column)] for name, column in right.items()})
    points = rank("points", {name: [mean_of(100 * column)] for name, column in right.items()}, scale=(0, 100))
    for one, other in zip(shares.standings, points.standings, strict=True):
        assert (one.name, one.may_be_best, one.probability_best) == (
            other.name,
            other.may_be_best,
            other.probability_best,
        )
        assert other.score.low == pytest.approx(100 * float(one.score.low or 0))


def test_what_is_undefined_in_some_resamples_stays_as_it_is() -> None:
    rare = np.zeros((40, 2))
    rare[0] = 1, 1
    rare[1:, 1] = 0
    found = rank("recall", {"a": [Sums(rare, lambda sums: sums[:, 0] / sums[:, 1])], "b": [mean_of([False] * 40)]})
    assert found.best.name == "a"
    assert np.isfinite(found.draws).all()


def test_items_must_be_the_same() -> None:
    with pytest.raises(UsageError, match=r"\[3, 4\] items"):
        ranked(a=answers(3), b=answers(4))
    with pytest.raises(UsageError, match="No candidate is left"):
        rank("accuracy", {})


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(2, 60), st.integers(0, 2**31))
def test_any_ranking_is_consistent(candidates: int, items: int, seed: int) -> None:
    right = np.random.default_rng(seed).random((items, candidates)) < 0.7
    found = rank("accuracy", {str(place): [mean_of(column)] for place, column in enumerate(right.T)}, count=200)
    assert sum(each.probability_best for each in found.standings) == pytest.approx(1)
    assert found.best.may_be_best
    values = [each.score.value for each in found.standings]
    assert values == sorted(values, reverse=True)
    for (one, other), difference in found.differences.items():
        mirrored = found.differences[other, one]
        assert (difference.value, difference.low, difference.high) == pytest.approx(
            (-mirrored.value, -mirrored.high, -mirrored.low)
        )
        assert difference.is_sure == (difference.p_value < 0.05 + 1e-9) or difference.p_value == pytest.approx(
            0.05, abs=0.01
        )
    for each in found.standings:
        assert each.score.low is not None
        assert each.score.high is not None
        assert -1e-9 <= each.score.low <= each.score.value <= each.score.high <= 1 + 1e-9
