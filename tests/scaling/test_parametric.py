"""The parametric law: its optimum is one, on either side loss is higher."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.scaling.parametric import ParametricLaw

EXPONENTS = st.floats(0.15, 0.8)


@given(EXPONENTS, EXPONENTS, st.floats(1e10, 1e24), st.sampled_from([3, 6]))
def test_no_other_split_of_the_budget_is_better(alpha: float, beta: float, flops: float, k: int) -> None:
    law = ParametricLaw(1.7, 400.0, 500.0, alpha, beta)
    best = law.optimum(flops, k)
    assert k * best.parameters * best.tokens == pytest.approx(flops)
    for factor in (0.9, 1.1):
        other = law.loss(best.parameters * factor, best.tokens / factor)
        assert best.loss is not None
        assert other >= best.loss
