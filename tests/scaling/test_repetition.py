"""Muennighoff et al. 2023: what the paper prints, what must hold, and scipy's optimum as the oracle."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from trivium.errors import UsageError
from trivium.scaling.chinchilla import APPROACH_3, BESIROGLU
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.repetition import C4, RepetitionLaw, epochs_worth, worth_of_epoch

assert isinstance(C4.rule, ParametricLaw)
assert isinstance(BESIROGLU.rule, ParametricLaw)
assert isinstance(APPROACH_3.rule, ParametricLaw)
PAPER = RepetitionLaw(C4.rule)
LAWS = (PAPER, RepetitionLaw(BESIROGLU.rule), RepetitionLaw(APPROACH_3.rule))


def test_constants_as_printed() -> None:
    """Equation 17: 521, 1488, 1.87, 0.35; R*_D = 15.4 and R*_N = 5.3; U_N = 0.051 U_D."""
    assert (round(PAPER.law.size_scale), round(PAPER.law.data_scale)) == (521, 1488)
    assert round(PAPER.law.irreducible, 2) == 1.87
    assert round(PAPER.law.size_exponent, 3) == round(PAPER.law.data_exponent, 3) == 0.353
    assert (round(PAPER.data_decay, 1), round(PAPER.size_decay, 1)) == (15.4, 5.3)
    assert PAPER.useful_parameters(1e11) / 1e11 == pytest.approx(0.051, abs=0.0005)


def test_four_epochs_are_almost_fresh_and_sixteen_are_not() -> None:
    assert PAPER.effective_tokens(4, 1) / 4 == pytest.approx(0.93, abs=0.005)
    assert PAPER.effective_tokens(16, 1) / 16 == pytest.approx(0.66, abs=0.005)
    fresh, repeated = PAPER.law.loss(8.7e9, 178e9), PAPER.loss(8.7e9, 178e9, 178e9 / 4)
    assert 1 < repeated / fresh < 1.02
    assert worth_of_epoch(1) == 1
    assert worth_of_epoch(1 + PAPER.data_decay) == pytest.approx(1 / math.e)


@given(share=st.floats(1e-3, 1))
def test_the_worth_of_an_epoch_turned_round(share: float) -> None:
    assert worth_of_epoch(epochs_worth(share)) == pytest.approx(share)


@pytest.mark.parametrize("share", [0, -1, 1.1, math.nan])
def test_no_epoch_is_worth_that(share: float) -> None:
    with pytest.raises(UsageError, match="above 0 and at most 1"):
        epochs_worth(share)


@given(parameters=st.floats(1e6, 1e12), tokens=st.floats(1e8, 1e13), unique=st.floats(1e8, 1e13))
def test_what_is_repeated_is_worth_less_and_never_nothing(parameters: float, tokens: float, unique: float) -> None:
    for law in LAWS:
        data = law.effective_tokens(tokens, unique)
        assert min(tokens, unique) * (1 - 1e-12) <= data <= tokens * (1 + 1e-12)
        assert data <= unique * (1 + law.data_decay)
        assert law.effective_parameters(parameters, unique) <= parameters * (1 + 1e-12)
        assert law.loss(parameters, tokens, unique) >= law.law.loss(parameters, tokens) * (1 - 1e-12)
        assert law.loss(parameters, tokens, unique) >= law.lowest_loss(unique) * (1 - 1e-12)


@given(unique=st.floats(1e8, 1e13))
def test_the_useful_size_is_the_one_whose_data_these_are(unique: float) -> None:
    for law in LAWS:
        parameters = law.useful_parameters(unique)
        assert law.law.optimum(6 * parameters * unique).parameters == pytest.approx(parameters)
        assert law.loss(parameters, unique, unique) == pytest.approx(law.law.loss(parameters, unique))


@given(flops=st.floats(1e18, 1e24), unique=st.floats(1e9, 1e12))
def test_the_optimum_is_scipys(flops: float, unique: float) -> None:
    law = PAPER
    found = law.optimum(flops, unique)
    assert 6 * found.parameters * found.tokens == pytest.approx(flops)
    start = math.log(found.parameters)

    def loss_of(x: float) -> float:
        return law.loss(math.exp(x), flops / 6 / math.exp(x), unique)

    oracle = minimize_scalar(loss_of, bounds=(start - 3, start + 3), method="bounded")
    assert found.loss is not None
    assert found.loss <= oracle.fun + 1e-9


def test_enough_data_changes_nothing() -> None:
    for law in LAWS:
        fresh = law.law.optimum(1e21)
        assert law.optimum(1e21, fresh.tokens * 1.001) == fresh


def test_more_compute_goes_into_epochs_first() -> None:
    """Section 5: where data run out, smaller and longer than fresh data would have it."""
    for law in LAWS:
        fresh, few = law.law.optimum(1e22), law.optimum(1e22, 25e9)
        assert few.parameters < fresh.parameters
        assert few.tokens > fresh.tokens
        assert few.loss is not None
        assert fresh.loss is not None
        assert few.loss > fresh.loss
