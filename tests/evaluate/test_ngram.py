"""The bigram against its formula written out, and as a probability."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.evaluate.ngram import Bigram

DOCUMENTS = st.lists(st.lists(st.integers(0, 4), max_size=12), min_size=1, max_size=6)


def arrays(documents: list[list[int]]) -> list[np.ndarray]:
    return [np.array(document, dtype=np.int64) for document in documents]


def test_the_formula_by_hand() -> None:
    # "a b a c": pairs (s a) (a b) (b a) (a c) (c e). After a: b once and c once, two followers.
    start, end, a, b, c = 0, 1, 2, 3, 4
    bigram = Bigram(arrays([[a, b, a, c]]), vocabulary=5, begin_id=start, end_id=end)
    unigram = {end: 2 / 10, a: 3 / 10, b: 2 / 10, c: 2 / 10}
    score = bigram.score(arrays([[a, c]]), text_bytes=2)
    after_start = (1 + 1 * unigram[a]) / (1 + 1)
    after_a = (1 + 2 * unigram[c]) / (2 + 2)
    after_c = (1 + 1 * unigram[end]) / (1 + 1)
    nats = -math.log(after_start * after_a * after_c)
    assert score.loss == pytest.approx(nats / 3)
    assert score.bits_per_byte == pytest.approx(nats / math.log(2) / 2)
    assert bigram.commonest([a, b, c]) == a


@given(documents=DOCUMENTS, before=st.integers(0, 6))
def test_the_probabilities_after_any_token_add_up_to_one(documents, before) -> None:
    bigram = Bigram(arrays(documents), vocabulary=7, begin_id=5, end_id=6)
    pairs = before * 7 + np.arange(7)
    assert bigram._probability(pairs).sum() == pytest.approx(1)


@given(documents=DOCUMENTS)
def test_on_its_own_text_it_beats_the_unigram(documents) -> None:
    repeated = arrays(documents) * 30
    bigram = Bigram(repeated, vocabulary=7, begin_id=5, end_id=6)
    counts = bigram.token_counts
    share = counts[counts > 0] / counts.sum()
    unigram_loss = float(-(share * np.log(share)).sum())
    assert bigram.score(repeated, 1).loss <= unigram_loss + 0.05
