"""Every family against `transformers` at tiny size; one it lacks is checked in float64 in the family's own tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.families import checks
from tests.families.tiny import BUILDERS, oracle

CHECKS = (
    checks.check_logits,
    checks.check_padding_on_the_right,
    checks.check_padding_on_the_left,
    checks.check_gradients,
    checks.check_dropout,
    checks.check_bfloat16,
    checks.check_saving,
    checks.check_counts,
)
#: Encoders have no cache.
WRITERS = [name for name in BUILDERS if not type(oracle(name)).__name__.endswith("ForMaskedLM")]


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_a_family_equals_the_oracle(check: Callable[[str, Path], None], name: str, tmp_path: Path) -> None:
    check(name, tmp_path)


@pytest.mark.parametrize("name", WRITERS)
def test_step_by_step_with_a_cache_equals_the_oracle(name: str, tmp_path: Path) -> None:
    checks.check_cache(name, tmp_path)
