"""Intervals."""

import numpy as np
import pytest

from trivium.scaling.estimates import Interval, OptimumEstimate, percentile_interval
from trivium.scaling.parametric import Optimum


def test_nine_tenths_of_the_values_lie_inside() -> None:
    found = percentile_interval(np.arange(1001.0))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((50, 950))
    assert found.width == pytest.approx(900)
    assert 51 in found
    assert 49.9 not in found
    assert percentile_interval([]) is None


def test_an_optimum_as_plain_data() -> None:
    found = OptimumEstimate(Optimum(6e18, 1e9, 1e9, None), Interval(1.0, 2.0), None, None, "far").to_dict()
    assert found["optimum"]["tokens_per_parameter"] == 1
    assert found["parameters"] == {"low": 1.0, "high": 2.0}
    assert found["warning"] == "far"
