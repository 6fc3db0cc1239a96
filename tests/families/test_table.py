"""docs/families.md says what the checks say; `make docs` runs them and writes it anew."""

from pathlib import Path

import pytest

from tests.families import checks, table
from tests.families.tiny import BUILDERS
from trivium.families.registry import FAMILIES


def test_the_page_of_the_docs_is_up_to_date() -> None:
    shown = (Path(__file__).parents[2] / "docs" / "families.md").read_text(encoding="utf-8")
    assert shown == table.page(), "run `make docs`"


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fresh_model_of_every_family_learns(name: str) -> None:
    checks.check_a_preset_learns(FAMILIES[name])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_has_an_oracle_or_its_equations(name: str) -> None:
    assert (name in {builder.split()[0] for builder in BUILDERS}) != (name in table._EQUATIONS)
