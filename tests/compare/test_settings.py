"""A comparison's file, and every mistake in it named."""

from pathlib import Path

import pytest
import yaml

from trivium.compare.settings import parse_compare_settings, read_compare_settings
from trivium.errors import UsageError

PLAN = {"data": "reviews", "candidates": ["naive-bayes", {"model": "m", "shots": 4}], "held_out_items": 100}


def test_a_file_is_read_with_changes_on_top(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    found = read_compare_settings(path, seed=3)
    assert (found.data, found.held_out_items, found.seed) == ("reviews", 100, 3)
    assert found.candidates == ("naive-bayes", {"model": "m", "shots": 4})
    again = parse_compare_settings(found.model_dump(mode="json"))
    assert again == found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"held_uot": 0.2}, "there is no key 'held_uot'. Did you mean 'held_out'"),
        ({"held_out": 1.5}, "held_out is 1.5: should be less than 1. Share of the examples"),
        ({"candidates": []}, "candidates is"),
        ({"data": None}, "data is None"),
        ({"seeds": 0}, "seeds is 0"),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match="In the comparison") as error:
        parse_compare_settings({**PLAN, **change})
    assert said in str(error.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UsageError, match=r"candidates is missing. What is compared"):
        parse_compare_settings({"data": "reviews"})


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"a: [", "is not valid YAML"), (b"\xff\xfe\xfa", "is not UTF-8 text"), (b"- 1", "must hold keys")],
)
def test_a_file_that_is_none_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_compare_settings(path)
    with pytest.raises(UsageError, match="There is no comparison"):
        read_compare_settings(tmp_path / "other.yaml")
