import numpy as np
import torch

from tests.objectives.vocabularies import VOCABULARY, document
from trivium.objectives.batch import IGNORE
from trivium.objectives.causal import Causal
from trivium.objectives.collate import collate, packed, padded
from trivium.objectives.row import Piece, Row
from trivium.objectives.span import Span, raw_length


def test_rows_that_are_one_full_document_need_no_documents() -> None:
    causal, rng = Causal.of(VOCABULARY, 16), np.random.default_rng(0)
    full = causal.row([Piece(document(15))], rng)
    batch = collate([full, full])
    assert batch.documents is None
    assert batch.input_ids.shape == batch.targets.shape == (2, 16)
    assert batch.input_ids.dtype == batch.targets.dtype == torch.int64
    assert batch.tokens == batch.target_tokens == 32
    with_padding = collate([full, causal.row([Piece(document(4)), Piece(document(3))], rng)])
    assert with_padding.documents is not None
    assert with_padding.documents[1].tolist() == [1] * 5 + [2] * 4 + [0] * 7
    assert with_padding.tokens == with_padding.target_tokens == 16 + 9


def test_both_sides_of_an_encoder_decoder() -> None:
    span, rng = Span.of(VOCABULARY, 32), np.random.default_rng(0)
    raw, _ = raw_length(32)
    batch = collate([span.row([Piece(document(n))], rng) for n in (raw, 12)])
    assert batch.decoder_input_ids is not None
    assert batch.decoder_input_ids.shape == batch.targets.shape == (2, span.targets)
    assert batch.decoder_documents is not None
    assert ((batch.decoder_documents > 0) == (batch.targets != IGNORE)).all()
    assert collate([span.row([Piece(document(raw))], rng)]).decoder_documents is None


def text(first: int, length: int, label: float, sides: bool = False) -> Row:
    ids = np.arange(first, first + length, dtype=np.int64)
    side = (ids[:2], np.ones(2, dtype=np.int64)) if sides else (None, None)
    targets = ids[:2] if sides else ids
    return Row(ids, targets, np.ones_like(ids), *side, segments=ids % 2, label=label)


def test_padded_rows_are_as_long_as_the_longest() -> None:
    batch = padded([text(10, 3, 0.5), text(20, 1, 1.5)], pad=7)
    assert batch.input_ids.tolist() == [[10, 11, 12], [20, 7, 7]]
    assert batch.targets.tolist() == [[10, 11, 12], [20, IGNORE, IGNORE]]
    assert batch.documents is not None
    assert batch.documents.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.segments is not None
    assert batch.segments.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert batch.labels is not None
    assert batch.labels.tolist() == [0.5, 1.5]


def test_packed_rows_hold_several_texts_whose_labels_follow_them() -> None:
    batch = packed([text(10, 2, 1.0), text(20, 5, 2.0), text(30, 3, 3.0)], pad=0, capacity=5)
    assert batch.input_ids.tolist() == [[20, 21, 22, 23, 24], [30, 31, 32, 10, 11]]
    assert batch.documents is not None
    assert batch.documents.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 2, 2]]
    assert batch.labels is not None
    assert batch.labels.tolist() == [2.0, 3.0, 1.0]
    assert packed([text(10, 9, 1.0), text(20, 2, 2.0)], pad=0, capacity=5).input_ids.shape == (2, 9)


def test_both_sides_are_packed_under_the_same_numbers() -> None:
    batch = packed([text(10, 3, 1.0, sides=True), text(20, 4, 2.0, sides=True)], pad=0, capacity=8)
    assert batch.decoder_input_ids is not None
    assert batch.decoder_input_ids.tolist() == [[20, 21, 10, 11]]
    assert batch.documents is not None
    assert batch.documents.tolist() == [[1, 1, 1, 1, 2, 2, 2]]
    assert batch.decoder_documents is not None
    assert batch.decoder_documents.tolist() == [[1, 1, 2, 2]]
