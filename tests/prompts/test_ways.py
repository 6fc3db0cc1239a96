"""The ways of scoring choices: worked examples, and what each cancels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.errors import UsageError
from trivium.prompts.ways import Likelihoods, probabilities, scores

LOGPROBS = np.log([[0.20, 0.10], [0.02, 0.06]])
FOUND = Likelihoods(
    LOGPROBS,
    np.array([[1, 2], [1, 2]]),
    ("été", "winter"),
    unconditional=np.log([0.4, 0.1]),
    content_free=np.log([[[0.3, 0.1], [0.2, 0.2]]] * 2),
    in_domain=np.log([[[0.5, 0.5]]] * 2),
)


def test_lengths_are_of_characters_and_of_bytes() -> None:
    """lm-eval's acc_norm divides by characters, not bytes, as is often said; "été" has 3 of one and 5 of the other."""
    assert scores(FOUND, "plain").tolist() == LOGPROBS.tolist()
    assert scores(FOUND, "per-token") == pytest.approx(LOGPROBS / [1, 2])
    assert scores(FOUND, "per-character") == pytest.approx(LOGPROBS / [3, 6])
    assert scores(FOUND, "per-byte") == pytest.approx(LOGPROBS / [5, 6])


def test_the_unconditional_likelihood_is_taken_away() -> None:
    assert scores(FOUND, "unconditional") == pytest.approx(np.log([[0.5, 1.0], [0.05, 0.6]]))


def test_calibration_as_in_its_paper() -> None:
    """Zhao et al. 2021, section 5: W = diag(p̄)⁻¹, b = 0, with p̄ the mean of normalised probabilities."""
    mean = (np.array([0.75, 0.25]) + np.array([0.5, 0.5])) / 2
    for row, found in zip([[2 / 3, 1 / 3], [0.25, 0.75]], scores(FOUND, "content-free"), strict=True):
        assert found == pytest.approx(np.log(np.diag(1 / mean) @ row))
    assert scores(FOUND, "in-domain").argmax(axis=1).tolist() == LOGPROBS.argmax(axis=1).tolist()


@given(st.lists(st.floats(-30, 0), min_size=3, max_size=3), st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_calibration_cancels_a_lean_that_is_the_same_for_every_input(row: list[float], lean: list[float]) -> None:
    straight = Likelihoods(np.array([row]), np.ones((1, 3), int), ("a", "b", "c"), content_free=np.zeros((1, 1, 3)))
    leaning = Likelihoods(
        np.array([row]) + lean, np.ones((1, 3), int), ("a", "b", "c"), content_free=np.array([[lean]])
    )
    a, b = (probabilities(scores(each, "content-free")) for each in (straight, leaning))
    assert a == pytest.approx(b, abs=1e-6)


def test_probabilities_and_an_unknown_way() -> None:
    assert probabilities(np.log([[2.0, 6.0]])).tolist() == [pytest.approx([0.25, 0.75])]
    assert math.isfinite(probabilities(np.array([[-2000.0, -1000.0]])).sum())
    with pytest.raises(UsageError, match=r"no way 'per-charakter'.*Did you mean 'per-character'"):
        scores(FOUND, "per-charakter")
