"""An answer's tokens by its characters, and windows that lose nothing."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.objectives.batch import IGNORE
from trivium.objectives.extraction import span_row, token_span, windows

OFFSETS = [(0, 0), (0, 3), (3, 5), (6, 9), (9, 9), (9, 10)]  # "[CLS]", "Ada", "'s", " cat" cut at the space, "", "."


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 3, (1, 1)), (0, 9, (1, 3)), (4, 5, (2, 2)), (1, 4, (1, 2)), (9, 10, (5, 5)), (5, 6, None), (10, 12, None)],
)
def test_the_tokens_that_bear_characters(start: int, end: int, expected: tuple[int, int] | None) -> None:
    assert token_span(OFFSETS, start, end) == expected


def test_several_tokens_of_one_character_are_all_taken() -> None:
    assert token_span([(0, 1), (1, 2), (1, 2), (1, 2), (2, 3)], 1, 2) == (1, 3)


@given(st.integers(1, 200), st.integers(1, 40), st.data())
def test_windows_cover_everything_and_share_the_overlap(tokens: int, room: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, room - 1))
    found = windows(tokens, room, overlap)
    assert found[0][0] == 0
    assert found[-1][1] == tokens
    assert all(end - begin == room for begin, end in found[:-1])
    assert all(before[1] - after[0] == overlap for before, after in itertools.pairwise(found))
    assert all(before[1] < after[1] for before, after in itertools.pairwise(found))


def test_a_row_says_where_the_answer_begins_and_ends() -> None:
    row = span_row(np.arange(5), None, (2, 3))
    assert row.label == (2, 3)
    assert row.targets.tolist() == [IGNORE] * 5
    assert span_row(np.arange(5), None, None).label == (0, 0)
