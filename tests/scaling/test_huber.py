"""The objective of approach 3 against scipy's Huber function, and its derivatives against differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import huber

from tests.scaling.planted import CHINCHILLA, planted
from trivium.scaling.fit_parametric import problem_of
from trivium.scaling.huber import Problem, Resample

PROBLEM = problem_of(planted(0, count=40))
#: Somewhere in the neighbourhood of a law of such points, on no edge of the Huber function.
LAWS = PROBLEM.row(CHINCHILLA) + np.random.default_rng(0).normal(0, 0.05, (6, 5))


def random_resample(laws: int) -> Resample:
    generator = np.random.default_rng(1)
    shape = (laws, len(PROBLEM.x))
    return Resample(generator.integers(0, 3, shape).astype(float), generator.normal(0, 0.01, shape))


@given(st.tuples(*[st.floats(0.1, 3)] * 3), st.tuples(*[st.floats(0.05, 1)] * 2))
def test_the_objective_is_the_summed_huber_loss_of_log_loss(
    terms: tuple[float, ...], exponents: tuple[float, ...]
) -> None:
    row = np.array([*np.log(terms), *exponents])
    law = PROBLEM.law(row)
    predicted = [law.loss(n, d) for n, d in zip(PROBLEM.parameters, PROBLEM.tokens, strict=True)]
    expected = huber(1e-3, np.log(predicted) - np.log(PROBLEM.losses)).sum()
    assert PROBLEM.objective(row[None], PROBLEM.as_measured())[0] == pytest.approx(expected, rel=1e-9)


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_units_of_size_and_data_change_nothing_but_the_scales(size: float, data: float) -> None:
    other = Problem(size * PROBLEM.parameters, data * PROBLEM.tokens, PROBLEM.losses)
    np.testing.assert_allclose(
        other.objective(LAWS, other.as_measured(6)), PROBLEM.objective(LAWS, PROBLEM.as_measured(6)), rtol=1e-9
    )
    ours, theirs = PROBLEM.law(LAWS[0]), other.law(LAWS[0])
    assert theirs.size_scale == pytest.approx(ours.size_scale * size**ours.size_exponent, rel=1e-9)
    assert theirs.data_scale == pytest.approx(ours.data_scale * data**ours.data_exponent, rel=1e-9)


def test_a_resample_weighs_and_shifts_points() -> None:
    resample = random_resample(6)
    for number, row in enumerate(LAWS):
        by_hand = resample.weights[number] * huber(
            1e-3, PROBLEM.predicted(row[None])[0][0] - PROBLEM.log_losses - resample.shifts[number]
        )
        assert PROBLEM.objective(LAWS, resample)[number] == pytest.approx(by_hand.sum(), rel=1e-12)


def test_the_gradient_is_that_of_the_objective() -> None:
    resample, step = random_resample(6), 1e-7
    gradient = PROBLEM.derivatives(LAWS, resample).gradient
    for letter in range(5):
        aside = step * np.eye(5)[letter]
        difference = PROBLEM.objective(LAWS + aside, resample) - PROBLEM.objective(LAWS - aside, resample)
        np.testing.assert_allclose(gradient[:, letter], difference / (2 * step), rtol=1e-4, atol=1e-6)


def test_the_second_derivatives_are_those_of_the_gradient() -> None:
    smooth = Problem(PROBLEM.parameters, PROBLEM.tokens, PROBLEM.losses, delta=0.05)
    resample, step = random_resample(6), 1e-7
    found = smooth.derivatives(LAWS, resample)
    for letter in range(5):
        aside = step * np.eye(5)[letter]
        up, down = (smooth.derivatives(LAWS + sign * aside, resample).gradient for sign in (1, -1))
        np.testing.assert_allclose(found.hessian[:, letter], (up - down) / (2 * step), rtol=1e-3, atol=1e-4)


def test_the_majorizer_is_never_indefinite() -> None:
    found = PROBLEM.derivatives(LAWS, random_resample(6))
    assert np.linalg.eigvalsh(found.majorizer).min() > -1e-12
    np.testing.assert_allclose(found.majorizer, found.majorizer.swapaxes(1, 2))


def test_a_law_and_its_row_are_one() -> None:
    row = PROBLEM.row(CHINCHILLA)
    again = PROBLEM.law(row)
    assert again.size_scale == pytest.approx(CHINCHILLA.size_scale, rel=1e-12)
    assert again.data_scale == pytest.approx(CHINCHILLA.data_scale, rel=1e-12)
    assert again.loss(1e9, 2e10) == pytest.approx(CHINCHILLA.loss(1e9, 2e10), rel=1e-12)
