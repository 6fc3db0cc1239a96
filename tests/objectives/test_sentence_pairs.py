"""Next sentence (Devlin et al. 2019, section 3.1) and sentence order (Lan et al. 2020, section 3.1)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.vocabularies import SENTENCE_ENDS, VOCABULARY, document
from trivium.data.documents import InMemoryDocuments
from trivium.data.epochs import Epochs
from trivium.data.loader import HeldOut
from trivium.errors import DataError, UsageError
from trivium.objectives.batch import IGNORE
from trivium.objectives.masked import Masked
from trivium.objectives.row import Objective, Piece, Row
from trivium.objectives.sentence_pairs import SentencePairs

PAIRS = {"next": SentencePairs.next_sentence, "order": SentencePairs.sentence_order}


def pair(row: Row) -> tuple[list[int], list[int]]:
    """A and B as they were before hiding, without the special tokens; those stand where they must."""
    ids = np.where(row.targets == IGNORE, row.input_ids, row.targets)
    used = int((row.documents == 1).sum())
    second = int(np.argmax(row.segments)) if row.segments.any() else used
    assert ids[0] == 1
    assert ids[second - 1] == ids[used - 1] == 2
    return ids[1 : second - 1].tolist(), ids[second : used - 1].tolist()


def rows_of(question: str, pieces: list[Piece], count: int = 2000, length: int = 64) -> list[Row]:
    made = PAIRS[question](VOCABULARY, length)
    return [made.row(pieces, np.random.default_rng(n)) for n in range(count)]


def given_to(question: str, own: Piece, other: Piece) -> list[Piece]:
    return [own, other] if question == "next" else [own]


@pytest.mark.parametrize("question", PAIRS)
def test_half_of_the_pairs_are_as_written(question: str) -> None:
    own, other = document(40, 1), document(50, 2)
    rows = rows_of(question, given_to(question, Piece(own), Piece(other)))
    assert np.mean([row.label for row in rows]) == pytest.approx(0.5, abs=0.035)  # three standard deviations
    for row in rows:
        first, second = pair(row)
        if row.label == 0:
            assert first + second == own.tolist()
        elif question == "order":
            assert second + first == own.tolist()
        else:
            assert first == own[: len(first)].tolist()
            assert len(first) + len(second) == len(own)
            assert tuple(second) in {tuple(other[start : start + len(second)]) for start in range(len(other))}


@pytest.mark.parametrize("question", PAIRS)
def test_the_lengths_do_not_tell_the_label(question: str) -> None:
    """Of both labels A is as long on average: nothing is to be learnt but the text."""
    text = np.full(41, 11)  # without an end of a sentence: cut anywhere
    rows = rows_of(question, given_to(question, Piece(text), Piece(document(50, 2))), 4000)
    means = [np.mean([len(pair(row)[0]) for row in rows if row.label == label]) for label in (0, 1)]
    assert means == pytest.approx([20.5, 20.5], abs=1)


def test_texts_are_cut_where_a_sentence_ends() -> None:
    text = np.array([11, 13, 20, 15, 17, 19, 30, 21, 40])
    assert {len(pair(row)[0]) for row in rows_of("next", [Piece(text), Piece(document(50))], 60)} == {3, 7}
    whole = np.array([11, 13, 15, 17])
    assert {len(pair(row)[0]) for row in rows_of("next", [Piece(whole), Piece(document(50))], 60)} == {1, 2, 3}


@pytest.mark.parametrize("question", PAIRS)
@given(own=st.integers(1, 61), other=st.integers(1, 61), seed=st.integers(0, 99))
def test_a_row_is_one_padded_pair(question: str, own: int, other: int, seed: int) -> None:
    pieces = given_to(question, Piece(document(own, seed)), Piece(document(other, seed + 1)))
    made = PAIRS[question](VOCABULARY, 64)
    row = made.row(pieces, np.random.default_rng(seed))
    again = made.row(pieces, np.random.default_rng(seed))
    for name, value in vars(row).items():
        assert np.array_equal(value, vars(again)[name])
    assert made.capacity == (64,) == row.input_ids.shape == row.segments.shape == row.targets.shape
    used = int(row.documents.sum())
    assert used <= own + 3
    assert (row.documents == (np.arange(64) < used)).all()
    assert (row.segments[used:] == 0).all()
    assert (np.diff(row.segments[:used]) >= 0).all()
    assert not np.isin(row.targets, list(VOCABULARY.special_ids)).any()
    assert (row.targets != IGNORE).sum() == min(max(1, round(0.15 * used)), used - 3)
    assert row.label == IGNORE if own == 1 else row.label in (0, 1)
    pair(row)


def test_the_other_text_begins_a_sentence_where_it_can() -> None:
    other = document(58, 4)
    made = rows_of("next", [Piece(document(9, 3)), Piece(other)], 200)
    starts = {tuple(other[cut : cut + 8]) for cut in range(1, 58) if other[cut - 1] in SENTENCE_ENDS}
    short = [pair(row)[1] for row in made if row.label == 1]
    assert all(any(tuple(b) == begin[: len(b)] for begin in starts) for b in short)


def test_a_loader_gives_each_row_a_stranger() -> None:
    """Each document has tokens of its own; long ones fill many rows, short ones have a row each."""
    documents = InMemoryDocuments([[11 + 2 * n] * size for n, size in enumerate((300, 40, 5, 61, 62, 20))])
    made = SentencePairs.next_sentence(VOCABULARY, 64, probability=0.01)
    assert isinstance(made, Objective)
    epochs = Epochs(documents, made, seed=0)
    assert epochs.packing().tokens.sum() == documents.tokens
    assert epochs.windows(1) == 5 + 1 + 1 + 1 + 2 + 1
    for index in range(epochs.windows(3)):
        own, other = epochs.window(index).pieces
        assert set(own.tokens.tolist()).isdisjoint(other.tokens.tolist())
        again = Epochs(documents, made, seed=0).window(index).pieces[1]
        assert np.array_equal(other.tokens, again.tokens)
    batch = next(HeldOut(documents, made, 0).batches(11))
    assert batch.segments.shape == (11, 64)
    assert batch.labels.shape == (11,)
    assert batch.to("cpu").labels.tolist() == batch.labels.tolist()


def test_one_document_has_no_stranger() -> None:
    documents = InMemoryDocuments([document(300)])
    assert len(Epochs(documents, SentencePairs.sentence_order(VOCABULARY, 64), seed=0).window(0).pieces) == 1
    with pytest.raises(DataError, match="Give more documents"):
        Epochs(documents, SentencePairs.next_sentence(VOCABULARY, 64), seed=0).window(0)


def test_the_masks_are_those_of_the_masked_objective() -> None:
    made = SentencePairs.sentence_order(VOCABULARY, 64, masks="static", whole_word=True)
    assert isinstance(made.masked, Masked)
    assert (made.variants, made.overlap, made.pad) == (10, 0, 0)
    with pytest.raises(UsageError, match="at least 5 tokens"):
        SentencePairs.sentence_order(VOCABULARY, 4)
