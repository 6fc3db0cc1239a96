"""Shots: by seed, balanced, nearest; never what is asked."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.prompts.tiny import reviews
from trivium.data.examples import Examples, LabelledText, TextPair
from trivium.errors import DataError, UsageError
from trivium.prompts.shots import ORDERS, Shots, draw_shots

POOL, ASKED = reviews(20), reviews(3, "One")


@given(st.integers(0, 12), st.sampled_from(["random", "balanced"]), st.integers(0, 5))
def test_shots_are_drawn_by_seed_and_differ(count: int, order: str, seed: int) -> None:
    shots = Shots(count, order)
    drawn = draw_shots(shots, POOL, ASKED, seed)
    assert drawn == draw_shots(shots, POOL, ASKED, seed)
    assert len(drawn) == len(ASKED)
    assert all(shown == drawn[0] for shown in drawn)
    assert len(set(drawn[0])) == count
    if order == "balanced":
        counts = Counter(label for shown in drawn[0] for label in shown.labels)
        assert max(counts.values(), default=0) - min(counts["good"], counts["bad"]) <= 1


def test_seeds_draw_other_shots_and_other_orders() -> None:
    assert len({draw_shots(Shots(4), POOL, ASKED, seed)[0] for seed in range(8)}) == 8
    odd = {tuple(each.labels for each in draw_shots(Shots(1), POOL, ASKED, seed)[0]) for seed in range(12)}
    assert odd == {(("good",),), (("bad",),)}  # which label has one more is drawn, too


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_asked_is_never_shown(order: str) -> None:
    asked = POOL.pick(range(16))
    shots = Shots(4, order)
    for shown in draw_shots(shots, POOL, asked, 0, letters):
        assert not set(shown) & set(asked)
    with pytest.raises(UsageError, match=r"5 shots are too many: 20 reviews has 20 examples, 16 of which are asked"):
        draw_shots(Shots(5, "random"), POOL, asked)


def letters(texts: Sequence[str]) -> np.ndarray:
    """Vectors that count letters."""
    counts = np.array([[text.count(letter) for letter in map(chr, range(97, 123))] for text in texts], dtype=float)
    return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True))


def test_the_nearest_come_last() -> None:
    asked = Examples("classification", (LabelledText("zzzz", "bad"), LabelledText("qq", "bad")))
    pool = Examples("classification", tuple(LabelledText(text, "good") for text in ("zq", "zzq", "zqq", "abc")))
    shown = draw_shots(Shots(2, "nearest"), pool, asked, embed=letters)
    assert [[each.text for each in one] for one in shown] == [["zq", "zzq"], ["zq", "zqq"]]  # type: ignore[union-attr]


def test_what_cannot_be_drawn_is_refused() -> None:
    uneven = Examples("classification", (*POOL, *reviews(20, "Two").examples[1::2]), "30 reviews")
    with pytest.raises(UsageError, match="There cannot be -1 shots"):
        Shots(-1)
    with pytest.raises(UsageError, match=r"chosen by 'balance'.*Did you mean 'balanced'"):
        Shots(1, "balance")
    with pytest.raises(UsageError, match="no examples to draw them from"):
        draw_shots(Shots(1), None, ASKED)
    with pytest.raises(UsageError, match=r"30 reviews has 10 of 'bad', and 1[12] are needed"):
        draw_shots(Shots(23), uneven, ASKED)
    with pytest.raises(UsageError, match="give a model that embeds"):
        draw_shots(Shots(1, "nearest"), POOL, ASKED)
    pairs = Examples("text-to-text", (TextPair("a", ("b",)), TextPair("c", ("d",))))
    with pytest.raises(UsageError, match="no labels to balance"):
        draw_shots(Shots(1), pairs, pairs.pick([0]))
    with pytest.raises(DataError, match="needs classification"):
        draw_shots(Shots(1), pairs, ASKED)
