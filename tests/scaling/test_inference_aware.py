"""Sardana et al. 2024: the paper's example, the two questions as one, and scipy's optimum as the oracle."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from trivium.errors import BudgetError
from trivium.scaling.chinchilla import BESIROGLU
from trivium.scaling.inference_aware import best_within, cheapest
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.repetition import RepetitionLaw

assert isinstance(BESIROGLU.rule, ParametricLaw)
LAW = BESIROGLU.rule


def test_the_papers_example() -> None:
    """Figure 1: a model as good as 13B that serves 2T tokens should be a 7B, and saves 1.7e22 FLOPs, 17 %."""
    paper = ParametricLaw(1.69, 406.4, 410.7, 0.336, 0.283)
    flops = 6e22 * (13e9 / paper.optimum(6e22).parameters) ** (1 / paper.size_share)
    optimum = paper.optimum(flops)
    assert optimum.parameters == pytest.approx(13e9)
    assert optimum.loss is not None
    total = flops + 2 * 13e9 * 2e12
    found = cheapest(paper, optimum.loss, 2e12)
    assert found.parameters == pytest.approx(7e9, rel=0.02)
    assert total - found.flops == pytest.approx(1.7e22, rel=0.01)
    assert 1 - found.flops / total == pytest.approx(0.17, abs=0.005)


@given(flops=st.floats(1e18, 1e25), served=st.floats(1e6, 1e15))
def test_the_cheapest_and_the_best_are_one_frontier(flops: float, served: float) -> None:
    best = best_within(LAW, flops, served)
    again = cheapest(LAW, best.loss, served)
    assert best.flops == pytest.approx(flops)
    assert again.flops == pytest.approx(flops, rel=1e-6)
    assert again.parameters == pytest.approx(best.parameters, rel=2e-3)
    assert LAW.loss(again.parameters, again.tokens) == pytest.approx(best.loss)


def test_without_service_it_is_the_laws_own_optimum() -> None:
    plain = LAW.optimum(1e22)
    for found in (best_within(LAW, 1e22, 0), cheapest(LAW, plain.loss or 0.0, 0)):
        assert found.parameters == pytest.approx(plain.parameters, rel=1e-3)
        assert found.flops == pytest.approx(1e22, rel=1e-6)


def test_the_more_it_serves_the_smaller_and_longer_trained() -> None:
    found = [cheapest(LAW, 2.1, served) for served in (0, 1e11, 1e12, 1e13, 1e14)]
    sizes = [each.parameters for each in found]
    tokens = [each.tokens for each in found]
    assert sizes == sorted(sizes, reverse=True)
    assert tokens == sorted(tokens)


@given(loss=st.floats(1.85, 4.0), served=st.floats(1e6, 1e15))
def test_the_cheapest_is_scipys(loss: float, served: float) -> None:
    found = cheapest(LAW, loss, served)

    def flops_of(x: float) -> float:
        left = loss - LAW.irreducible - LAW.size_scale * math.exp(-LAW.size_exponent * x)
        if left <= 0:
            return 1e99
        return float(math.exp(x) * (6 * (LAW.data_scale / left) ** (1 / LAW.data_exponent) + 2 * served))

    start = math.log(found.parameters)
    oracle = minimize_scalar(flops_of, bounds=(start - 1, start + 1), method="bounded")
    assert found.flops <= oracle.fun * (1 + 1e-9)


def test_a_loss_that_no_model_reaches() -> None:
    with pytest.raises(BudgetError, match=r"loss of 1\.8: by this law nothing goes below 1\.817"):
        cheapest(LAW, 1.8, 1e12)
    with pytest.raises(BudgetError, match="loss of nan"):
        cheapest(LAW, math.nan, 1e12)


def test_few_data_and_service_together() -> None:
    few = best_within(LAW, 1e22, 0, unique_tokens=25e9)
    alone = RepetitionLaw(LAW).optimum(1e22, 25e9)
    assert few.loss == pytest.approx(alone.loss)
    both = best_within(LAW, 1e22, 1e12, unique_tokens=25e9)
    assert both.parameters < few.parameters
    assert both.loss > few.loss
    assert both.to_dict()["flops"] == pytest.approx(1e22)
