"""The lowest point of a function of one number, against scipy's and against what is known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from trivium.scaling.minimum import lowest


@given(where=st.floats(1e-6, 1e12), steep=st.floats(0.1, 5))
def test_a_valley_is_found_wherever_it_lies(where: float, steep: float) -> None:
    found = lowest(lambda x: (x / where) ** steep + (where / x) ** (2 * steep) / 2, 1e-9, 1e15)
    assert found == pytest.approx(where, rel=1e-4)


def test_it_agrees_with_scipy() -> None:
    def function(x: float) -> float:
        return math.exp(math.sqrt(x)) + 1000 / x

    oracle = minimize_scalar(lambda y: function(math.exp(y)), bounds=(0, 10), options={"xatol": 1e-10})
    assert lowest(function, 1, math.exp(10)) == pytest.approx(math.exp(oracle.x), rel=1e-4)


def test_ends_and_places_where_nothing_is_defined() -> None:
    assert lowest(lambda x: x, 2, 50) == pytest.approx(2, rel=1e-6)
    assert lowest(lambda x: -x, 2, 50) == pytest.approx(50, rel=1e-6)
    assert lowest(lambda x: math.inf if x > 10 else -x, 1, 1e6) == pytest.approx(10, rel=1e-6)
