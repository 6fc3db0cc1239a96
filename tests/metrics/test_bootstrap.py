"""Intervals: seeded, as scipy's, covering a known truth as often as they say; pairs cancel what is hard for both."""

import numpy as np
import pytest
from scipy import stats

from trivium.errors import UsageError
from trivium.metrics.bootstrap import Sums, bootstrap, bootstrap_all, mean_of, paired_bootstrap, resamples


def test_the_interval_is_scipys() -> None:
    values = np.random.default_rng(0).exponential(size=300)
    ours = bootstrap("mean", mean_of(values), count=20_000, seed=1)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=2).confidence_interval
    assert ours.low is not None
    assert ours.high is not None
    width = ours.high - ours.low
    assert ours.value == pytest.approx(values.mean())
    assert abs(ours.low - theirs.low) < 0.03 * width
    assert abs(ours.high - theirs.high) < 0.03 * width


def test_resamples_are_of_the_seed_however_many_rows_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(resamples(31, 50, seed=3)))
    assert (whole.sum(axis=1) == 31).all()
    monkeypatch.setattr("trivium.metrics.bootstrap._WEIGHTS", 31 * 7)
    blocks = list(resamples(31, 50, seed=3))
    assert len(blocks) == 8
    assert np.array_equal(np.concatenate(blocks), whole)
    assert not np.array_equal(np.concatenate(list(resamples(31, 50, seed=4))), whole)


@pytest.mark.parametrize("share", [0.6, 0.85])
def test_intervals_cover_the_truth_as_often_as_they_say(share: float) -> None:
    """95 of 100 experiments; 300 are done here, of whose count the standard deviation is 1.3 points."""
    rng = np.random.default_rng(5)
    covered = 0
    for trial in range(300):
        metric = bootstrap("accuracy", mean_of(rng.random(200) < share), count=400, seed=trial)
        assert metric.low is not None
        assert metric.high is not None
        covered += metric.low <= share <= metric.high
    assert 0.91 < covered / 300 < 0.985


def test_the_paired_interval_covers_and_is_narrower_than_of_two_samples() -> None:
    """Two systems that mostly fail together: the truth is 4 points, the pairs' interval a good deal narrower."""
    rng = np.random.default_rng(6)
    covered, narrower = 0, 0
    for trial in range(100):
        hard = rng.random(400)
        first, second = mean_of(hard < 0.80), mean_of(np.where(rng.random(400) < 0.95, hard < 0.76, hard < 0.76 + 0.24))
        truth = 0.80 - (0.95 * 0.76 + 0.05 * 1.0)
        paired = paired_bootstrap("accuracy", first, second, count=400, seed=trial)
        one, other = (bootstrap("accuracy", each, count=400, seed=trial) for each in (first, second))
        covered += paired.low <= truth <= paired.high
        unpaired = np.hypot(one.high - one.low, other.high - other.low)  # type: ignore[operator]
        narrower += paired.high - paired.low < unpaired
    assert 0.89 < covered / 100 < 1
    assert narrower == 100


def test_equal_systems_differ_by_nothing() -> None:
    right = mean_of([True, False, True, True])
    same = paired_bootstrap("accuracy", right, right)
    assert (same.value, same.low, same.high, same.probability, same.p_value) == (0, 0, 0, 0.5, 1)
    assert not same.is_sure
    assert str(same) == "+0 (+0 to +0)"


def test_a_clear_difference_is_sure_both_ways_round() -> None:
    good, poor = mean_of([True] * 90 + [False] * 10), mean_of([True] * 50 + [False] * 50)
    there, back = paired_bootstrap("a", good, poor), paired_bootstrap("a", poor, good)
    assert there.is_sure
    assert there.value == pytest.approx(0.4)
    assert (back.low, back.high) == (-there.high, -there.low)
    assert there.probability == 1 - back.probability == 1
    assert there.p_value == back.p_value < 0.01


def test_several_figures_share_their_resamples() -> None:
    rng = np.random.default_rng(7)
    figures = {"a": mean_of(rng.random(50)), "b": mean_of(rng.random(50))}
    together = bootstrap_all(figures, count=100, seed=9)
    assert together == {name: bootstrap(name, each, count=100, seed=9) for name, each in figures.items()}
    assert bootstrap_all({}) == {}


@pytest.mark.parametrize("right", [True, False])
def test_all_right_is_not_surely_all_right(right: bool) -> None:
    metric = bootstrap("accuracy", mean_of([right] * 30))
    exact = stats.binomtest(30 * right, 30).proportion_ci(0.95, method="exact")
    assert (metric.low, metric.high) == pytest.approx((exact.low, exact.high))
    for number in (0.0, 1.0, 1.5):  # a mean that is no share
        assert bootstrap("distance", mean_of([number] * 30)).low == number


def test_what_is_undefined_has_no_interval() -> None:
    rare = Sums(np.zeros((20, 2)), lambda sums: sums[:, 0] / sums[:, 1])
    metric = bootstrap("precision", rare)
    assert np.isnan(metric.value)
    assert metric.low is None
    assert bootstrap("accuracy", mean_of([True])).low is None  # one item says nothing of others


def test_wrong_use_is_said() -> None:
    with pytest.raises(UsageError, match="no item"):
        bootstrap("accuracy", mean_of([]))
    with pytest.raises(UsageError, match="2 and 3 items"):
        paired_bootstrap("accuracy", mean_of([1.0, 0.0]), mean_of([1.0, 0.0, 0.0]))
    with pytest.raises(UsageError, match="between 0 and 1"):
        bootstrap("accuracy", mean_of([1.0, 0.0]), confidence=95.0)
    with pytest.raises(UsageError, match="at least one resample"):
        bootstrap("accuracy", mean_of([1.0, 0.0]), count=0)
