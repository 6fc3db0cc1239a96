"""The exception tree: what is drawn is what is there, and every leaf has its exit code."""

import inspect
import re

import pytest

from trivium import errors
from trivium.errors import TriviumError, UsageError, nearest

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, TriviumError)]


def test_the_drawing_is_the_tree() -> None:
    drawn = re.findall(r"^ {4}([│ ]*)(?:[├└]── )?(\w+Error)", errors.__doc__ or "", re.MULTILINE)
    parents: dict[str, str | None] = {"TriviumError": None}
    above = ""
    for bars, name in drawn[1:]:
        parents[name] = above if "│" in bars else "TriviumError"
        above = above if "│" in bars else name
    assert {kind.__name__ for kind in KINDS} == set(parents)
    for kind in KINDS:
        parent = parents[kind.__name__]
        assert parent is None or kind.__bases__[0].__name__ == parent


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_only_wrong_use_exits_with_2(kind: type[TriviumError]) -> None:
    assert kind.exit_code == (2 if issubclass(kind, UsageError) else 1)


def test_nearest_names_one_word_or_none() -> None:
    assert nearest("stpes", ["seed", "steps"]) == " Did you mean 'steps'?"
    assert nearest("zzz", ["seed", "steps"]) == ""
    assert nearest("steps", []) == ""
