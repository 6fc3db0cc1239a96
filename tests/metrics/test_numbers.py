"""Correlations are scipy's, in each resample too, ties and all."""

import numpy as np
import pytest
from scipy import stats

from trivium.metrics.bootstrap import bootstrap, resamples
from trivium.metrics.numbers import mean_absolute_error, pearson, spearman


@pytest.mark.parametrize("digits", [0, 1, 8])
def test_correlations_are_scipys(digits: int) -> None:
    """Rounded, so that some values are equal."""
    rng = np.random.default_rng(digits)
    truth = (1000 + 3 * rng.standard_normal(40)).round(digits)
    said = (0.5 * truth + rng.standard_normal(40)).round(digits)
    [weights] = resamples(40, 30, seed=2)
    ours = pearson(truth.tolist(), said.tolist())(weights), spearman(truth.tolist(), said.tolist())(weights)
    for row, each in enumerate(weights.astype(int)):
        drawn = np.repeat(np.arange(40), each)
        assert ours[0][row] == pytest.approx(stats.pearsonr(truth[drawn], said[drawn]).statistic, abs=1e-9)
        assert ours[1][row] == pytest.approx(stats.spearmanr(truth[drawn], said[drawn]).statistic, abs=1e-9)


def test_what_does_not_vary_correlates_with_nothing() -> None:
    for correlation in (pearson, spearman):
        metric = bootstrap("correlation", correlation([0.3] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]))
        assert np.isnan(metric.value)
        assert metric.low is None


def test_the_mean_distance() -> None:
    assert bootstrap("error", mean_absolute_error([1.0, 2.0], [1.5, 0.0])).value == 1.25
