"""Every family against `transformers` at tiny size; one it lacks is checked in float64 in the family's own tests."""

import pytest

from tests.families import checks
from tests.families.tiny import BUILDERS, oracle

NAMES = sorted(BUILDERS)
#: Encoders have no cache.
WRITERS = [name for name in NAMES if not type(oracle(name)).__name__.endswith("ForMaskedLM")]


@pytest.mark.parametrize("name", NAMES)
def test_logits_equal_the_oracle(name: str, tmp_path) -> None:
    checks.check_logits(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_padding_on_the_right_equals_the_oracle(name: str, tmp_path) -> None:
    checks.check_padding_on_the_right(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_padding_on_the_left_equals_the_oracle(name: str, tmp_path) -> None:
    checks.check_padding_on_the_left(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_the_oracle(name: str, tmp_path) -> None:
    checks.check_gradients(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_dropout_stands_where_the_oracle_has_it(name: str, tmp_path) -> None:
    checks.check_dropout(name, tmp_path)


@pytest.mark.parametrize("name", WRITERS)
def test_step_by_step_with_a_cache_equals_the_oracle(name: str, tmp_path) -> None:
    checks.check_cache(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_is_as_near_as_the_oracle(name: str, tmp_path) -> None:
    checks.check_bfloat16(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_weights_go_round_exactly_and_open_in_transformers(name: str, tmp_path) -> None:
    checks.check_saving(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_counted_as_the_oracle_holds_them(name: str, tmp_path) -> None:
    checks.check_counts(name, tmp_path)
