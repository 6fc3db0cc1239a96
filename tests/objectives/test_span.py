from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.vocabularies import VOCABULARY, Special, document, piece_lists, room_for
from trivium.errors import UsageError
from trivium.objectives.batch import IGNORE
from trivium.objectives.row import Piece, Row
from trivium.objectives.span import Span, noise_and_spans, raw_length

SENTINELS = VOCABULARY.sentinel_ids
END = 2


def restore(inputs: list[int], targets: list[int], sentinels: Sequence[int] = SENTINELS) -> list[int]:
    """The document: each sentinel of the inputs gives way to what stands behind it in the targets."""
    spans: dict[int, list[int]] = {}
    for token in targets[:-1]:
        if token in sentinels:
            spans[token] = []
        else:
            spans[next(reversed(spans))].append(token)
    return [i for token in inputs[:-1] for i in spans.get(token, [token])]


def sides(row: Row, number: int) -> tuple[list[int], list[int], list[int]]:
    assert row.decoder_input_ids is not None
    assert row.decoder_documents is not None
    said = row.decoder_documents == number
    return (
        row.input_ids[row.documents == number].tolist(),
        row.targets[said].tolist(),
        row.decoder_input_ids[said].tolist(),
    )


@pytest.mark.parametrize(("inputs", "raw", "targets"), [(512, 568, 114), (1024, 1137, 229), (2048, 2274, 456)])
def test_the_lengths_of_the_paper(inputs: int, raw: int, targets: int) -> None:
    assert raw_length(inputs) == (raw, targets)


def test_512_inputs_hold_85_noise_tokens_in_28_spans() -> None:
    assert noise_and_spans(568) == (85, 28)
    span = Span.of(VOCABULARY, 512)
    assert span.capacity == (512, 114)
    row = span.row([Piece(document(568))], np.random.default_rng(0))
    inputs, targets, _ = sides(row, 1)
    assert (len(inputs), len(targets)) == (512, 114)
    assert np.isin(targets, SENTINELS).sum() == np.isin(inputs, SENTINELS).sum() == 28


@given(
    piece_lists(), st.sampled_from([(0.15, 3.0), (0.5, 3.0), (0.5, 1.0), (0.9, 2.0), (0.02, 8.0)]), st.integers(0, 9)
)
def test_nothing_is_lost(pieces: list[Piece], noise: tuple[float, float], seed: int) -> None:
    density, mean_span = noise
    sentinels = tuple(range(10_000, 9_000, -1))
    span = Span(1000, 1000, sentinels, END, 0, 0, density, mean_span)
    row = span.row(pieces, np.random.default_rng(seed))
    assert room_for(span, pieces) == ((row.documents > 0).sum(), (row.targets != IGNORE).sum())
    for number, piece in enumerate(pieces, start=1):
        inputs, targets, read = sides(row, number)
        assert inputs[-1] == targets[-1] == END
        assert restore(inputs, targets, sentinels) == piece.tokens.tolist()
        assert read == [0, *targets[:-1]]
        marks = [token for token in inputs if token in sentinels]
        assert marks == list(sentinels[: len(marks)]) == [token for token in targets if token in sentinels]
        if len(piece.tokens) > 1:
            assert inputs[0] not in sentinels  # a kept span first,
            assert inputs[-2] in sentinels  # a noise span last,
            assert not any(a in sentinels and b in sentinels for a, b in pairwise(inputs))


def test_a_single_token_is_kept() -> None:
    pieces = [Piece(document(4)), Piece(np.array([77])), Piece(document(5))]
    row = Span.of(VOCABULARY, 32).row(pieces, np.random.default_rng(0))
    inputs, targets, read = sides(row, 2)
    assert (inputs, targets, read) == ([77, END], [END], [0])
    assert restore(*sides(row, 3)[:2]) == pieces[2].tokens.tolist()


def _noise_mask_of_the_paper(length: int, rng: np.random.Generator) -> np.ndarray:
    """The original's way, written from its description: shuffle the marks of where segments start."""
    noise = min(max(round(length * 0.15), 1), length - 1)
    spans = max(round(noise / 3), 1)

    def segments(items: int) -> np.ndarray:
        first_in_segment = np.arange(items - 1) < spans - 1
        rng.shuffle(first_in_segment)
        return np.bincount(np.concatenate(([0], np.cumsum(first_in_segment))))

    lengths = np.stack([segments(length - noise), segments(noise)], axis=1).ravel()
    return np.repeat(np.arange(2 * spans) % 2 == 1, lengths)


def test_masks_are_distributed_as_the_original_ones() -> None:
    """The chance of each position to be noise, and of each span length, against the algorithm of the paper's code."""
    length, draws = 60, 2500
    text = np.arange(10, 10 + length)
    span = Span.of(VOCABULARY, 64)
    rng = np.random.default_rng(1)
    theirs = np.stack([_noise_mask_of_the_paper(length, rng) for _ in range(draws)])
    ours = np.empty_like(theirs)
    for n in range(draws):
        inputs, _, _ = sides(span.row([Piece(text)], np.random.default_rng((2, n))), 1)
        ours[n] = ~np.isin(text, inputs)
    assert np.abs(ours.mean(axis=0) - theirs.mean(axis=0)).max() < 5 * np.sqrt(2 * 0.25 / draws)
    for mine, original in zip(_span_lengths(ours), _span_lengths(theirs), strict=True):
        total = mine.sum() + original.sum()
        expected = (mine + original) / 2
        seen = expected > 20
        assert mine.sum() == original.sum() == total / 2
        statistic = ((mine - expected) ** 2 / np.maximum(1, expected) * 2)[seen].sum()
        assert statistic < 2.5 * seen.sum() + 10


def _span_lengths(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often noise and kept spans have each length."""
    counts = np.zeros((2, masks.shape[1] + 1))
    for mask in masks:
        edges = np.flatnonzero(np.diff(mask, prepend=~mask[:1], append=~mask[-1:]))
        for begin, size in zip(edges, np.diff(edges), strict=False):
            counts[int(mask[begin]), size] += 1
    return counts[1], counts[0]


@given(st.integers(2, 600), st.floats(0.02, 0.9), st.floats(1.0, 20.0))
def test_lengths_never_fall(tokens: int, density: float, mean_span: float) -> None:
    span = Span(5, 10_000, tuple(range(10_000)), END, 0, 0, density, mean_span)
    shorter, longer = span.lengths(tokens - 1, True, True), span.lengths(tokens, True, True)
    assert all(a <= b for a, b in zip(shorter, longer, strict=True))


def test_too_few_sentinels_are_named_before_the_run() -> None:
    with pytest.raises(UsageError, match="2,274 tokens with 114 spans, but the tokenizer has 100 sentinels"):
        Span.of(VOCABULARY, 2048)
    assert Span.of(VOCABULARY, 2048, mean_span=4.0).inputs == 2048
    with pytest.raises(UsageError, match="'span' needs sentinels"):
        Span.of(Special(sentinel_ids=()), 64)


def test_wrong_use_is_named() -> None:
    with pytest.raises(UsageError, match="at least 2 inputs"):
        raw_length(1)
    with pytest.raises(UsageError, match="at least 3 targets"):
        Span.of(VOCABULARY, 64, targets=2)
    with pytest.raises(UsageError, match="density in"):
        Span.of(VOCABULARY, 64, density=1.0)
