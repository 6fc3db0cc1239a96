"""A law says what it counts, and where it is extrapolated."""

import json

from hypothesis import given
from hypothesis import strategies as st

from trivium.families.registry import family_named
from trivium.scaling.kaplan import KAPLAN
from trivium.scaling.law import Rule
from trivium.scaling.laws import DEFAULT_LAW, LAWS


def test_each_counts_parameters_its_own_way() -> None:
    small = family_named("gpt2").size("small")
    assert DEFAULT_LAW.size_of(small) == 124_439_808
    assert KAPLAN.size_of(small) == small.non_embedding_parameters == 124_439_808 - (50_257 + 1024) * 768


def test_extrapolation_is_said() -> None:
    inside = DEFAULT_LAW.beyond(1e9, 20e9)
    assert inside == ()
    larger, more = DEFAULT_LAW.beyond(72e9, 1.4e12)
    assert larger.startswith("Extrapolated: 7.2e+10 parameters are 4.5 times the most that Besiroglu et al. 2024 was")
    assert "1.4e+12 tokens are 2.8 times the most" in more
    (smaller,) = DEFAULT_LAW.beyond(7e6, 20e9)
    assert "7e+06 parameters are 0.1 times the fewest" in smaller


@given(parameters=st.floats(1e3, 1e13), tokens=st.floats(1e3, 1e15))
def test_a_sentence_for_each_limit_that_is_passed(parameters: float, tokens: float) -> None:
    for law in LAWS.values():
        passed = (not law.parameters[0] <= parameters <= law.parameters[1]) + (
            not law.tokens[0] <= tokens <= law.tokens[1]
        )
        assert len(law.beyond(parameters, tokens)) == passed


def test_laws_are_rules_and_plain_data() -> None:
    for law in LAWS.values():
        assert isinstance(law.rule, Rule)
        assert json.loads(json.dumps(law.to_dict()))["name"] == law.name
    assert DEFAULT_LAW.to_dict()["constants"]["data_exponent"] == 0.3658
