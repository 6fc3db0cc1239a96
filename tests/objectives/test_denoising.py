"""BART's noise: what is hidden, how much, in which order; against the paper's words written out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.bart.modeling_bart import shift_tokens_right

from tests.objectives.test_span import sides
from tests.objectives.vocabularies import FIRST_WORD, SIZE, VOCABULARY, Special, document, piece_lists, room_for
from trivium.errors import UsageError
from trivium.objectives.collate import collate
from trivium.objectives.denoising import Denoising, span_lengths
from trivium.objectives.row import Piece

MASK = 3


@given(piece_lists(), st.sampled_from(["paper", "released"]), st.integers(0, 9))
def test_the_whole_text_is_said_and_nothing_grows(pieces: list[Piece], recipe: str, seed: int) -> None:
    room = room_for(Denoising.of(VOCABULARY, 3), pieces)
    denoising = Denoising.of(VOCABULARY, room[0], recipe=recipe)
    row = denoising.row(pieces, np.random.default_rng(seed))
    for number, piece in enumerate(pieces, start=1):
        shown, said, read = sides(row, number)
        assert said == [1, *piece.tokens.tolist(), 2]
        assert read == [2, *said[:-1]]
        assert (shown[0], shown[-1]) == (1, 2)
        assert len(shown) <= len(said)
        kept = len(shown) - 2 - shown.count(MASK)
        if recipe == "paper":
            assert kept == len(piece.tokens) - math.ceil(0.3 * len(piece.tokens))
            left = list(piece.tokens)
            for token in shown[1:-1]:
                if token != MASK:
                    left.remove(token)  # each kept token is one of the text, none twice


def test_the_decoder_starts_as_hugging_faces_does() -> None:
    batch = collate([Denoising.of(VOCABULARY, 32).row([Piece(document(30))], np.random.default_rng(0))])
    assert batch.decoder_input_ids is not None
    assert torch.equal(batch.decoder_input_ids, shift_tokens_right(batch.targets, 0, 2))


def _lengths_of_the_paper(noise: int, mean: float, rng: np.random.Generator) -> list[int]:
    """Spans drawn one after the other until as many tokens are hidden as shall be, the last one cut."""
    lengths: list[int] = []
    while sum(lengths) < noise:
        lengths.append(min(int(rng.poisson(mean)), noise - sum(lengths)))
    return lengths


@pytest.mark.parametrize("mean", [3.0, 3.5])
def test_span_lengths_are_drawn_as_the_paper_says(mean: float) -> None:
    ours = [span_lengths(90, mean, np.random.default_rng((0, n))) for n in range(800)]
    rng = np.random.default_rng(1)
    theirs = [_lengths_of_the_paper(90, mean, rng) for _ in range(800)]
    assert {int(lengths.sum()) for lengths in ours} == {90}
    counts = [np.bincount(np.minimum(np.concatenate(each), 9), minlength=10) for each in (ours, theirs)]
    expected = (counts[0] + counts[1]) / 2
    statistic = ((counts[0] - expected) ** 2 / expected * 2).sum()
    assert statistic < 27.9  # chi-squared, 9 degrees of freedom: 0.1 % lie above
    assert counts[0][0] / counts[0].sum() == pytest.approx(math.exp(-mean), abs=0.006)


@given(st.integers(0, 60), st.floats(0.05, 8.0), st.integers(0, 20))
def test_never_more_spans_than_tokens_that_are_hidden(noise: int, mean: float, seed: int) -> None:
    lengths = span_lengths(noise, mean, np.random.default_rng(seed))
    assert lengths.sum() == noise
    assert len(lengths) <= noise


def test_shares_over_many_texts() -> None:
    """Of 1,000 tokens 30 % go; the masks are as many as spans of the mean length that is left; one in ten is random."""
    text = np.full(1000, FIRST_WORD + 1)
    for recipe, random in (("paper", 0.0), ("released", 0.1)):
        denoising = Denoising.of(VOCABULARY, 1002, recipe=recipe)
        shown = [sides(denoising.row([Piece(text)], np.random.default_rng(n)), 1)[0][1:-1] for n in range(200)]
        masks = sum(each.count(MASK) for each in shown)
        spans = sum(len(each) - 700 for each in shown)
        assert 1 - masks / spans == pytest.approx(random * (1 - 1 / SIZE), abs=0.012)
        assert 300 * 200 / spans == pytest.approx(3.5 if recipe == "released" else 3.0, rel=0.02)


def test_every_place_is_hidden_alike() -> None:
    text = np.arange(FIRST_WORD, FIRST_WORD + 40)
    denoising = Denoising.of(VOCABULARY, 42, permute_sentences=False)
    hidden = np.zeros(40)
    for n in range(4000):
        shown = sides(denoising.row([Piece(text)], np.random.default_rng(n)), 1)[0]
        hidden += ~np.isin(text, shown)
        assert [t for t in shown[1:-1] if t != MASK] == sorted(set(shown[1:-1]) - {MASK})
    assert hidden.sum() == 4000 * 12
    # The middle evenly; towards the ends spans cannot reach over the edge, so a little less or more.
    assert np.abs(hidden[8:-8] / 4000 - hidden[8:-8].mean() / 4000).max() < 5 * np.sqrt(0.21 / 4000)


def test_sentences_come_in_every_order() -> None:
    """Ids that are multiples of 10 end a sentence; of several in a row the last one does."""
    sentences = ([11, 12, 10], [13, 20, 30], [14, 15])
    text = np.array([token for sentence in sentences for token in sentence])
    denoising = Denoising.of(VOCABULARY, 16, density=1e-9, mean_span=1.0)
    orders: dict[tuple[int, ...], int] = {}
    for n in range(1200):
        shuffled = tuple(denoising._shuffle(text, np.random.default_rng(n)).tolist())
        orders[shuffled] = orders.get(shuffled, 0) + 1
    expected = {
        tuple(t for i in order for t in sentences[i])
        for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    }
    assert orders.keys() == expected
    assert sum((count - 200) ** 2 / 200 for count in orders.values()) < 20.5  # chi-squared, 5 degrees, 0.1 %


def test_same_key_same_row() -> None:
    denoising = Denoising.of(VOCABULARY, 64)
    rows = [denoising.row([Piece(document(60))], np.random.default_rng((7, k))) for k in (1, 1, 2)]
    assert (rows[0].input_ids == rows[1].input_ids).all()
    assert (rows[0].input_ids != rows[2].input_ids).any()


def test_wrong_use_is_named() -> None:
    with pytest.raises(UsageError, match="at least 3 tokens, not 2"):
        Denoising.of(VOCABULARY, 2)
    with pytest.raises(UsageError, match="not 'papers' with none"):
        Denoising.of(VOCABULARY, 8, recipe="papers")
    with pytest.raises(UsageError, match="not 'paper' with poisson"):
        Denoising.of(VOCABULARY, 8, poisson=3.0)
    with pytest.raises(UsageError, match="density in"):
        Denoising.of(VOCABULARY, 8, density=1.0)
    with pytest.raises(UsageError, match="'denoising' needs a mask token"):
        Denoising.of(Special(mask_id=None), 8)
