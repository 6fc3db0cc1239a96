"""Non-negative least squares against scipy's, and against the conditions that a minimum has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from trivium.plan.least_squares import non_negative_least_squares


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 12), columns=st.integers(1, 8))
def test_as_good_as_scipy_s(seed: int, rows: int, columns: int) -> None:
    random = np.random.default_rng(seed)
    matrix, wanted = random.normal(size=(rows, columns)), random.normal(size=rows)
    found = non_negative_least_squares(matrix, wanted)
    assert (found >= 0).all()
    residual = np.linalg.norm(matrix @ found - wanted)
    assert residual == pytest.approx(nnls(matrix, wanted)[1], abs=1e-9)
    gradient = matrix.T @ (wanted - matrix @ found)  # no weight wants to grow, and those above zero want nothing
    assert gradient.max() < 1e-8
    assert np.abs(gradient[found > 1e-8]).max(initial=0.0) < 1e-7


def test_weights_that_are_there_are_found() -> None:
    random = np.random.default_rng(0)
    matrix, weights = random.uniform(size=(30, 13)), random.uniform(size=13) * (np.arange(13) % 3 > 0)
    assert non_negative_least_squares(matrix, matrix @ weights) == pytest.approx(weights, abs=1e-10)


def test_what_cannot_help_stays_out() -> None:
    assert non_negative_least_squares(np.array([[1.0, -1.0]]), np.array([2.0])).tolist() == [2.0, 0.0]
    assert non_negative_least_squares(np.array([[-1.0]]), np.array([2.0])).tolist() == [0.0]
    assert non_negative_least_squares(np.zeros((2, 1)), np.zeros(2)).tolist() == [0.0]


def test_columns_that_say_the_same_end_too() -> None:
    column = np.arange(1.0, 5.0)[:, None]
    found = non_negative_least_squares(np.hstack([column, column, 2 * column]), column[:, 0])
    assert (found >= 0).all()
    assert found @ [1, 1, 2] == pytest.approx(1)
