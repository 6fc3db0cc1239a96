"""Prefix language modelling: the split, both sides, and that all places are equally likely."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.test_span import sides
from tests.objectives.vocabularies import VOCABULARY, Special, document, piece_lists, room_for
from trivium.errors import UsageError
from trivium.objectives.prefix import Prefix
from trivium.objectives.row import Piece


@given(piece_lists(), st.integers(0, 9))
def test_the_document_is_the_prefix_and_what_is_said(pieces: list[Piece], seed: int) -> None:
    prefix = Prefix.of(VOCABULARY, sum(len(p.tokens) + 1 for p in pieces) + 2)
    row = prefix.row(pieces, np.random.default_rng(seed))
    for number, piece in enumerate(pieces, start=1):
        shown, said, read = sides(row, number)
        assert shown[-1] == said[-1] == 2
        assert shown[:-1] + said[:-1] == piece.tokens.tolist()
        assert read == [0, *said[:-1]]
        most = prefix.lengths(len(piece.tokens), piece.first, piece.last)
        assert len(shown) <= most[0]
        assert len(said) <= most[1]
    room = room_for(prefix, pieces)
    assert all(a <= b for a, b in zip(room, prefix.capacity, strict=True))


def test_every_split_is_equally_likely_and_half_of_the_tokens_are_asked_for() -> None:
    prefix, text, rng = Prefix.of(VOCABULARY, 32), document(11), np.random.default_rng(0)
    counts = np.bincount([len(sides(prefix.row([Piece(text)], rng), 1)[0]) - 1 for _ in range(4000)], minlength=12)
    assert counts[0] == counts[11] == 0
    assert ((counts[1:11] - 400) ** 2 / 400).sum() < 27.9  # chi-squared, 9 degrees of freedom: 0.1 % lie above
    assert counts @ np.arange(12) / 4000 == pytest.approx(5.5, abs=0.2)


def test_a_single_token_is_said() -> None:
    shown, said, _ = sides(Prefix.of(VOCABULARY, 4).row([Piece(np.array([11]))], np.random.default_rng(0)), 1)
    assert (shown, said) == ([2], [11, 2])


def test_wrong_use_is_named() -> None:
    with pytest.raises(UsageError, match="at least 2 tokens, not 1"):
        Prefix.of(VOCABULARY, 1)
    with pytest.raises(UsageError, match="'prefix' needs a padding token"):
        Prefix.of(Special(pad_id=None), 8)
