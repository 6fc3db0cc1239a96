"""Laws by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.errors import UsageError
from trivium.scaling.laws import DEFAULT_LAW, LAWS, law_named


def test_every_law_has_its_name_and_a_source() -> None:
    assert list(LAWS) == [
        "besiroglu", "chinchilla-1", "chinchilla-2", "chinchilla-3", "chinchilla-3-rounded", "muennighoff", "kaplan",
    ]  # fmt: skip
    for name, law in LAWS.items():
        assert law_named(name) is law
        assert "et al. 20" in law.source
    assert DEFAULT_LAW is LAWS["besiroglu"]


def test_an_unknown_law_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no law 'chinchila-3'\. Did you mean 'chinchilla-3'\? There are: besiroglu,"):
        law_named("chinchila-3")


@given(flops=st.floats(1e15, 1e27), rate=st.sampled_from([3.0, 6.0]))
def test_every_optimum_spends_the_budget_and_grows_with_it(flops: float, rate: float) -> None:
    for law in LAWS.values():
        optimum, larger = law.optimum(flops, rate), law.optimum(1.1 * flops, rate)
        assert rate * optimum.parameters * optimum.tokens == pytest.approx(flops)
        assert larger.parameters > optimum.parameters
        assert larger.tokens > optimum.tokens
        assert optimum.loss == law.loss(optimum.parameters, optimum.tokens)
