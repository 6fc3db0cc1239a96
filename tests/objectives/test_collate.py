import numpy as np
import torch

from tests.objectives.vocabularies import VOCABULARY, document
from trivium.objectives.batch import IGNORE
from trivium.objectives.causal import Causal
from trivium.objectives.collate import collate
from trivium.objectives.row import Piece
from trivium.objectives.span import Span, raw_length


def test_rows_that_are_one_full_document_need_no_documents() -> None:
    causal, rng = Causal.of(VOCABULARY, 16), np.random.default_rng(0)
    full = causal.row([Piece(document(15))], rng)
    batch = collate([full, full])
    assert batch.documents is None
    assert batch.input_ids.shape == batch.targets.shape == (2, 16)
    assert batch.input_ids.dtype == batch.targets.dtype == torch.int64
    assert batch.tokens == batch.target_tokens == 32
    padded = collate([full, causal.row([Piece(document(4)), Piece(document(3))], rng)])
    assert padded.documents is not None
    assert padded.documents[1].tolist() == [1] * 5 + [2] * 4 + [0] * 7
    assert padded.tokens == padded.target_tokens == 16 + 9


def test_both_sides_of_an_encoder_decoder() -> None:
    span, rng = Span.of(VOCABULARY, 32), np.random.default_rng(0)
    raw, _ = raw_length(32)
    batch = collate([span.row([Piece(document(n))], rng) for n in (raw, 12)])
    assert batch.decoder_input_ids is not None
    assert batch.decoder_input_ids.shape == batch.targets.shape == (2, span.targets)
    assert batch.decoder_documents is not None
    assert ((batch.decoder_documents > 0) == (batch.targets != IGNORE)).all()
    assert collate([span.row([Piece(document(raw))], rng)]).decoder_documents is None
