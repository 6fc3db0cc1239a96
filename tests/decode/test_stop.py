"""Stop strings: found wherever the text is cut, and never shown in part."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.decode.stop import StopStrings


def shown(pieces: list[str], stops: list[str]) -> tuple[list[str], bool]:
    scanner = StopStrings(stops)
    parts = [scanner.feed(piece) for piece in pieces]
    return [*parts, scanner.flush()], scanner.stopped


def reference(text: str, stops: list[str]) -> str:
    """The definition, character by character: the first stop string that is complete ends the text where it began."""
    for end in range(1, len(text) + 1):
        starts = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if starts:
            return text[: min(starts)]
    return text


def test_a_stop_string_that_spans_pieces() -> None:
    assert shown(["Yes", ".\n", "\nNo", "more"], ["\n\n"]) == (["Yes", ".", "", "", ""], True)


def test_what_was_held_is_shown_when_it_does_not_become_a_stop_string() -> None:
    assert shown(["a#", "#b"], ["###"]) == (["a", "##b", ""], False)
    assert shown(["a##"], ["###"]) == (["a", "##"], False)


def test_nothing_is_held_without_stop_strings() -> None:
    assert shown(["ab", "c"], []) == (["ab", "c", ""], False)


def test_an_empty_stop_string_is_our_fault() -> None:
    with pytest.raises(AssertionError):
        StopStrings([""])


@given(
    text=st.text("ab#", max_size=12),
    stops=st.lists(st.text("ab#", min_size=1, max_size=4), max_size=3),
    cuts=st.lists(st.integers(0, 12), max_size=4),
)
def test_the_cut_into_pieces_changes_nothing(text: str, stops: list[str], cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(bounds)]
    parts, stopped = shown(pieces, stops)
    expected = reference(text, stops)
    assert "".join(parts) == expected
    assert stopped == (expected != text)
    so_far = ""
    for part in parts:
        so_far += part
        assert expected.startswith(so_far)
