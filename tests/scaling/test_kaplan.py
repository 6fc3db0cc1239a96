"""Kaplan et al. 2020, against the figures that the paper prints and those that follow from its tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.scaling import kaplan
from trivium.scaling.kaplan import FLOPS_OF_A_PETAFLOP_DAY, KAPLAN

DAY = FLOPS_OF_A_PETAFLOP_DAY


def test_a_petaflop_day() -> None:
    assert DAY == 8.64e19


@pytest.mark.parametrize(("loss", "tokens"), [(3.0, 1.12e6), (2.5, 2.67e6), (2.0, 7.74e6)])
def test_critical_batch(loss: float, tokens: float) -> None:
    assert kaplan.critical_batch_tokens(loss) == pytest.approx(tokens, rel=0.005)


def test_loss_of_the_largest_model() -> None:
    assert kaplan.loss_of_size(1.5e9) == pytest.approx(2.304, abs=0.0005)


def test_the_derived_law_of_compute() -> None:
    """Equations B.7 and B.8: an exponent of 0.052 and 2.2e8 petaflop/s-days, beside the measured 0.050 and 3.1e8."""
    law = kaplan.derived_compute_law()
    assert law.exponent == pytest.approx(0.05199, abs=5e-6)
    assert law.scale / DAY == pytest.approx(2.2e8, rel=0.01)
    assert law(1.0 * DAY) == pytest.approx(kaplan.loss_of_compute(DAY), rel=0.03)


def test_table_6_at_one_petaflop_day() -> None:
    assert kaplan.optimal_parameters(DAY) == pytest.approx(1.3e9)
    assert kaplan.optimal_batch_tokens(DAY) == pytest.approx(2.0e6)
    assert kaplan.optimal_steps(DAY) == pytest.approx(5.4e3)
    assert kaplan.optimal_tokens(DAY) == pytest.approx(2e10)


def test_table_6_is_of_training_at_the_critical_batch() -> None:
    """Its tokens are 2 B S_min within its rounding, and 6 N B S_min is the petaflop/s-day that was asked about."""
    batches = kaplan.optimal_batch_tokens(DAY) * kaplan.optimal_steps(DAY)
    assert kaplan.optimal_tokens(DAY) == pytest.approx(2 * batches, rel=0.08)
    assert 6 * kaplan.optimal_parameters(DAY) * batches == pytest.approx(DAY, rel=0.03)


def test_the_size_that_hoffmann_compare_with() -> None:
    """Hoffmann et al. 2022, appendix D.4: Kaplan's law asks for 4.68B parameters at 1e21 FLOPs."""
    optimum = KAPLAN.optimum(1e21)
    assert optimum.parameters == pytest.approx(4.68e9, rel=0.001)
    assert 6 * optimum.parameters * optimum.tokens == pytest.approx(1e21)
    assert KAPLAN.optimum(1e21, 3).parameters == pytest.approx(KAPLAN.optimum(2e21).parameters)


def test_the_trap_of_the_two_exponents_of_data() -> None:
    """The overfitting rule's 0.74 is table 2's α_N / α_D; table 5's is 0.80."""
    assert pytest.approx(0.74, abs=0.005) == 0.076 / 0.103
    assert abs(0.076 / 0.095 - 0.74) > 0.05
    for parameters in (1e6, 1e9):
        enough = kaplan.tokens_against_overfitting(parameters)
        excess = kaplan.loss_of_size_and_data(parameters, enough) / kaplan.loss_of_size_and_data(parameters, 1e30) - 1
        assert excess == pytest.approx(0.02, rel=0.12)


def test_the_trap_of_the_two_exponents_of_size() -> None:
    """α_C / α_N follows as 0.68, and 0.73 is what was measured."""
    assert kaplan.derived_compute_law().exponent / 0.076 == pytest.approx(0.684, abs=0.0005)
    grown = kaplan.optimal_parameters(10 * DAY) / kaplan.optimal_parameters(DAY)
    assert grown == pytest.approx(10**0.73)


@given(
    steps=st.floats(1, 1e7),
    batch=st.floats(1e3, 1e8),
    critical=st.floats(1e3, 1e8),
)
def test_steps_against_examples(steps: float, batch: float, critical: float) -> None:
    """Equation 5.1: (S / S_min − 1)(E / E_min − 1) = 1, with examples as FLOPs stand for them."""
    shorter = steps / kaplan.minimal_steps(steps, batch, critical)
    cheaper = 1e20 / kaplan.minimal_flops(1e20, batch, critical)
    assert (shorter - 1) * (cheaper - 1) == pytest.approx(1.0, rel=1e-6)


def test_at_the_critical_batch_both_are_twice_the_least() -> None:
    assert kaplan.minimal_steps(100, 1e6, 1e6) == pytest.approx(50)
    assert kaplan.minimal_flops(1e20, 1e6, 1e6) == pytest.approx(5e19)


@given(parameters=st.floats(1e4, 1e11), tokens=st.floats(1e8, 1e13))
def test_the_loss_solves_equation_1_6(parameters: float, tokens: float) -> None:
    loss = KAPLAN.loss(parameters, tokens)
    assert loss is not None
    steps = tokens / (2 * kaplan.critical_batch_tokens(loss))
    assert kaplan.loss_of_size_and_steps(parameters, steps) == pytest.approx(loss, rel=1e-6)
    assert loss > kaplan.loss_of_size(parameters)


def test_the_laws_of_one_variable_agree_where_they_meet() -> None:
    """The optimum's loss by equation 1.6 and the law of compute, two fits of the same runs."""
    for days in (1e-3, 1.0, 10.0):
        optimum = KAPLAN.optimum(2 * days * DAY)
        assert optimum.loss == pytest.approx(kaplan.loss_of_compute(days * DAY), rel=0.12)
    assert kaplan.loss_of_naive_compute(DAY) == pytest.approx(1.6e7**0.057)
    assert kaplan.loss_of_data(22e9) == pytest.approx((5.4e13 / 22e9) ** 0.095)


def test_size_is_counted_without_embeddings() -> None:
    assert KAPLAN.size == "non-embedding"
