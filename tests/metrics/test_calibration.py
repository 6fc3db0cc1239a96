"""Calibration: bins as the paper draws them, and nothing to complain of in a predictor that is right as often as it
says."""

import numpy as np
import pytest

from trivium.metrics.bootstrap import bootstrap
from trivium.metrics.calibration import expected_calibration_error


def _by_loop(confidence: list[float], right: list[bool], bins: int) -> float:
    total = 0.0
    for number in range(bins):
        inside = [
            (sure, hit)
            for sure, hit in zip(confidence, right, strict=True)
            if number / bins < sure <= (number + 1) / bins or (number == 0 and sure == 0)
        ]
        if inside:
            accuracy = sum(hit for _, hit in inside) / len(inside)
            total += len(inside) * abs(accuracy - sum(sure for sure, _ in inside) / len(inside))
    return total / len(confidence)


@pytest.mark.parametrize("bins", [1, 4, 15])
def test_it_is_the_mean_gap_of_the_bins(bins: int) -> None:
    rng = np.random.default_rng(bins)
    confidence = [0.0, 0.25, 0.5, 1.0, *rng.random(60).tolist()]
    right = [bool(hit) for hit in rng.random(64) < 0.6]
    ours = bootstrap("ece", expected_calibration_error(confidence, right, bins)).value
    assert ours == pytest.approx(_by_loop(confidence, right, bins))


def test_by_hand() -> None:
    """Two at 0.9 of which one is right, two at 0.6 of which both are: (2 · 0.4 + 2 · 0.4) / 4."""
    error = expected_calibration_error([0.9, 0.9, 0.6, 0.6], [True, False, True, True])
    assert bootstrap("ece", error).value == pytest.approx(0.4)


def test_who_is_right_as_often_as_he_says_has_little_error() -> None:
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.5, 1, 20_000)
    honest = expected_calibration_error(sure.tolist(), [bool(hit) for hit in rng.random(20_000) < sure])
    boastful = expected_calibration_error(sure.tolist(), [bool(hit) for hit in rng.random(20_000) < sure - 0.2])
    assert bootstrap("ece", honest, count=10).value < 0.02
    assert bootstrap("ece", boastful, count=10).value == pytest.approx(0.2, abs=0.02)
