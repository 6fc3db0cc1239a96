import numpy as np
import pytest
from hypothesis import given

from tests.objectives.vocabularies import VOCABULARY, Special, piece_lists, room_for
from trivium.errors import UsageError
from trivium.objectives.batch import IGNORE
from trivium.objectives.causal import Causal
from trivium.objectives.row import Piece

RNG = np.random.default_rng(0)


def test_a_document_is_read_from_start_to_end() -> None:
    row = Causal(length=7, start=1, end=2, pad=0).row([Piece(np.array([11, 12, 13]))], RNG)
    assert row.input_ids.tolist() == [1, 11, 12, 13, 0, 0, 0]
    assert row.targets.tolist() == [11, 12, 13, 2, IGNORE, IGNORE, IGNORE]
    assert row.documents.tolist() == [1, 1, 1, 1, 0, 0, 0]


def test_a_cut_document_goes_on_with_its_last_token() -> None:
    causal = Causal(length=6, start=1, end=2, pad=0)
    row = causal.row([Piece(np.array([13, 14]), first=False), Piece(np.array([15, 16]), last=False)], RNG)
    assert row.input_ids.tolist() == [13, 14, 1, 15, 0, 0]
    assert row.targets.tolist() == [14, 2, 15, 16, IGNORE, IGNORE]
    assert row.documents.tolist() == [1, 1, 2, 2, 0, 0]


@given(piece_lists())
def test_nothing_is_lost_and_the_lengths_are_as_said(pieces: list[Piece]) -> None:
    pieces = [p for p in pieces if len(p.tokens) + p.first + p.last > 1]
    if not pieces:
        return
    (used,) = room_for(Causal.of(VOCABULARY, 3), pieces)
    row = Causal.of(VOCABULARY, used + 3).row(pieces, RNG)
    assert (row.documents > 0).sum() == used == (row.targets != IGNORE).sum()
    for number, piece in enumerate(pieces, start=1):
        here = row.documents == number
        text = np.concatenate([row.input_ids[here][:1], row.targets[here]])
        assert text.tolist() == [1] * piece.first + piece.tokens.tolist() + [2] * piece.last
        assert (row.input_ids[here][1:] == row.targets[here][:-1]).all()


def test_a_tokenizer_without_a_start_token_starts_with_its_end() -> None:
    assert Causal.of(Special(begin_id=None), 8).start == 2


def test_wrong_use_is_named() -> None:
    with pytest.raises(UsageError, match="at least 3 tokens, not 2"):
        Causal.of(VOCABULARY, 2)
    with pytest.raises(UsageError, match="'causal' needs an end token"):
        Causal.of(Special(end_id=None), 8)
