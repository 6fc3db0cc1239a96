"""UL2: its seven denoisers, their shares, their modes; nothing is lost by any of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.test_span import restore, sides
from tests.objectives.vocabularies import VOCABULARY, Special, document, piece_lists, room_for
from trivium.errors import UsageError
from trivium.objectives.row import Piece
from trivium.objectives.ul2 import UL2

R, S, X = VOCABULARY.sentinel_ids[:-4:-1]


@given(piece_lists(), st.sampled_from(["ul2", "ul2r"]), st.integers(0, 9))
def test_nothing_is_lost(pieces: list[Piece], mixture: str, seed: int) -> None:
    ul2 = UL2.of(VOCABULARY, 400, mixture=mixture)
    room = room_for(ul2, pieces)
    if any(a > b for a, b in zip(room, ul2.capacity, strict=True)):
        return
    row = ul2.row(pieces, np.random.default_rng(seed))
    for number, piece in enumerate(pieces, start=1):
        shown, said, read = sides(row, number)
        assert shown[0] in (R, S, X)
        assert restore(shown[1:], said) == piece.tokens.tolist()
        assert read == [0, *said[:-1]]
        most = ul2.lengths(len(piece.tokens), piece.first, piece.last)
        assert len(shown) <= most[0]
        assert len(said) <= most[1]


def _drawn(mixture: str, draws: int) -> dict[int, list[tuple[int, int]]]:
    """Noise tokens and spans of a text of 400 tokens, by mode."""
    ul2 = UL2.of(VOCABULARY, 400, mixture=mixture)
    text = Piece(document(350))
    found: dict[int, list[tuple[int, int]]] = {R: [], S: [], X: []}
    for n in range(draws):
        shown, said, _ = sides(ul2.row([text], np.random.default_rng(n)), 1)
        spans = int(np.isin(said, VOCABULARY.sentinel_ids).sum())
        found[shown[0]].append((len(said) - 1 - spans, spans))
    return found


def test_the_denoisers_are_those_of_table_1_and_drawn_evenly() -> None:
    """Of 350 tokens: 15 % are 52 (17 spans of 3, 6 of 8, 1 of 64), 25 % are 88, 50 % are 175 (58, 22, 3)."""
    draws = 2100
    found = _drawn("ul2", draws)
    assert set(found[R]) == {(52, 17), (52, 6)}
    assert set(found[S]) == {(88, 1)}
    assert set(found[X]) == {(175, 58), (175, 22), (175, 3), (52, 1)}
    counts = np.array([each.count(one) for each in found.values() for one in set(each)])
    assert ((counts - 300) ** 2 / 300).sum() < 22.5  # chi-squared, 6 degrees of freedom: 0.1 % lie above


def test_half_of_ul2r_is_sequential() -> None:
    found = _drawn("ul2r", 1200)
    for mode, share in ((R, 0.25), (S, 0.5), (X, 0.25)):
        assert len(found[mode]) / 1200 == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 1200))


def test_the_sequential_denoiser_says_the_last_quarter() -> None:
    ul2, text = UL2.of(VOCABULARY, 400, mixture="ul2r"), document(200)
    rows = [sides(ul2.row([Piece(text)], np.random.default_rng(n)), 1) for n in range(20)]
    shown, said, _ = next(row for row in rows if row[0][0] == S)
    first = VOCABULARY.sentinel_ids[0]
    assert shown == [S, *text[:150].tolist(), first, 2]
    assert said == [first, *text[150:].tolist(), 2]


def test_without_spare_sentinels_there_are_no_modes() -> None:
    few = Special(sentinel_ids=VOCABULARY.sentinel_ids[:11])
    ul2 = UL2.of(few, 48)
    assert ul2.modes is None
    shown, said, _ = sides(ul2.row([Piece(document(30))], np.random.default_rng(0)), 1)
    assert restore(shown, said, few.sentinel_ids) == document(30).tolist()


@given(st.integers(4, 300))
def test_the_longest_document_of_a_row_fits_both_sides(length: int) -> None:
    ul2 = UL2.of(VOCABULARY, length)
    tokens = 1
    while all(a <= b for a, b in zip(ul2.lengths(tokens + 1, True, True), ul2.capacity, strict=True)):
        tokens += 1
    assert tokens >= length // 2
    for seed in range(8):
        ul2.row([Piece(document(tokens))], np.random.default_rng(seed))  # asserts that it fits


def test_wrong_use_is_named() -> None:
    with pytest.raises(UsageError, match="at least 4 inputs"):
        UL2.of(VOCABULARY, 3)
    with pytest.raises(UsageError, match="mixtures ul2 and ul2r, not 'ul3'"):
        UL2.of(VOCABULARY, 64, mixture="ul3")
    with pytest.raises(UsageError, match="the tokenizer has 100 sentinels for them"):
        UL2.of(VOCABULARY, 2048)
    with pytest.raises(UsageError, match="'ul2' needs sentinels"):
        UL2.of(Special(sentinel_ids=()), 64)
