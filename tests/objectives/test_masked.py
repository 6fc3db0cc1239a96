import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.vocabularies import (
    FIRST_WORD,
    SENTINELS,
    SIZE,
    VOCABULARY,
    Special,
    document,
    piece_lists,
    room_for,
)
from trivium.errors import UsageError
from trivium.objectives.batch import IGNORE
from trivium.objectives.masked import Masked
from trivium.objectives.row import Piece, Row


def restore(row: Row) -> np.ndarray:
    """The ids before hiding: what is asked for, in its place."""
    return np.where(row.targets == IGNORE, row.input_ids, row.targets)


@given(piece_lists(), st.booleans(), st.integers(0, 9))
def test_nothing_is_lost_and_special_tokens_stay(pieces: list[Piece], whole_word: bool, seed: int) -> None:
    masked = Masked.of(VOCABULARY, 1000, whole_word=whole_word)
    row = masked.row(pieces, np.random.default_rng(seed))
    text = [i for p in pieces for i in (1, *p.tokens.tolist(), 2)]
    assert restore(row)[: len(text)].tolist() == text
    assert (room_for(masked, pieces)) == (len(text),) == ((row.documents > 0).sum(),)
    assert not np.isin(row.targets, list(VOCABULARY.special_ids)).any()
    assert (
        row.documents[: len(text)].tolist()
        == np.repeat(np.arange(1, len(pieces) + 1), [len(p.tokens) + 2 for p in pieces]).tolist()
    )


@pytest.mark.parametrize(("tokens", "expected"), [(1, 1), (8, 2), (61, 9), (98, 15), (126, 19), (510, 77)])
def test_the_count_is_exact(tokens: int, expected: int) -> None:
    """Devlin et al.: max(1, round(0.15 n)) of n tokens with [CLS] and [SEP], at most max_predictions."""
    for limit in (None, 20):
        masked = Masked.of(VOCABULARY, 512, max_predictions=limit)
        row = masked.row([Piece(document(tokens))], np.random.default_rng(0))
        assert (row.targets != IGNORE).sum() == (expected if limit is None else min(limit, expected))


def test_every_piece_has_its_own_count() -> None:
    pieces = [Piece(document(n, seed=n)) for n in (3, 40, 100)]
    row = Masked.of(VOCABULARY, 512).row(pieces, np.random.default_rng(0))
    asked = np.bincount(row.documents[row.targets != IGNORE])
    assert asked.tolist() == [0, 1, 6, 15]  # round(0.75) = 1, round(6.3) = 6, round(15.3) = 15


def _statistics(rows: list[Row], text: np.ndarray) -> tuple[float, float, float, float]:
    """Of all tokens: asked for; of those: [MASK], as it was, another."""
    asked = np.stack([row.targets[1:-1] != IGNORE for row in rows])
    inputs = np.stack([row.input_ids[1:-1] for row in rows])
    masked, same = inputs[asked] == 3, inputs[asked] == np.broadcast_to(text, inputs.shape)[asked]
    return asked.mean(), masked.mean(), same.mean(), (~masked & ~same).mean()


@pytest.mark.parametrize("whole_word", [False, True])
def test_80_10_10_as_hugging_face_draws_it(whole_word: bool) -> None:
    """12, 1.5 and 1.5 % of the tokens. Hugging Face draws each token with 0.15, we draw an exact count."""
    text = document(498)
    masked = Masked.of(VOCABULARY, 500, whole_word=whole_word)
    ours = _statistics([masked.row([Piece(text)], np.random.default_rng(n)) for n in range(300)], text)
    assert ours == pytest.approx((75 / 498, 0.8, 0.1 + 0.1 / SIZE, 0.1), abs=0.006)
    if whole_word:
        return  # there transformers 5 masks all of a word, never a random token or the same
    collator = transformers.DataCollatorForLanguageModeling(_hugging_face(), mlm_probability=0.15, seed=0)
    ids, labels = collator.torch_mask_tokens(
        torch.tensor([[1, *text.tolist(), 2]] * 300), torch.tensor([[True, *([False] * 498), True]] * 300)
    )
    theirs = _statistics([Row(i, t, i) for i, t in zip(ids.numpy(), labels.numpy(), strict=True)], text)
    assert ours == pytest.approx(theirs, abs=0.006)


def _hugging_face() -> transformers.PreTrainedTokenizerFast:
    import tokenizers

    words = {f"w{i}": i for i in range(SIZE)}
    raw = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="w4"))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="w0", cls_token="w1", sep_token="w2", mask_token="w3", unk_token="w4"
    )


def test_random_words_come_from_the_whole_vocabulary_evenly() -> None:
    masked = Masked(500, 1, 2, 3, 0, SIZE, VOCABULARY.special_ids, mask_share=0.0, random_share=1.0)
    text = document(498)
    drawn = np.zeros(SIZE)
    for n in range(300):
        row = masked.row([Piece(text)], np.random.default_rng(n))
        drawn += np.bincount(row.input_ids[row.targets != IGNORE], minlength=SIZE)
    expected = drawn.sum() / SIZE
    assert ((drawn - expected) ** 2 / expected).sum() < 491  # chi-squared, 399 degrees of freedom: 0.1 % lie above


@given(st.integers(1, 120), st.integers(0, 20))
def test_a_chosen_word_is_chosen_whole(tokens: int, seed: int) -> None:
    masked = Masked.of(VOCABULARY, 128, whole_word=True)
    text = document(tokens, seed)
    row = masked.row([Piece(text)], np.random.default_rng(seed))
    asked = row.targets[1 : tokens + 1] != IGNORE
    word = np.cumsum(VOCABULARY.word_starts[text] | (np.arange(tokens) == 0))
    in_word = np.bincount(word, weights=asked) / np.maximum(1, np.bincount(word))
    assert set(in_word[1:].tolist()) <= {0.0, 1.0}
    limit = max(1, round(0.15 * (tokens + 2)))
    shortest = np.bincount(word)[1:].min()
    assert (1 <= asked.sum() <= limit) or asked.sum() == shortest


def test_whole_words_reach_the_same_total() -> None:
    masked = Masked.of(VOCABULARY, 512, whole_word=True)
    counts = [(masked.row([Piece(document(498))], np.random.default_rng(n)).targets != IGNORE).sum() for n in range(50)]
    assert max(counts) == 75
    assert np.mean(counts) > 74.9


def test_a_word_longer_than_the_count_is_still_asked_for() -> None:
    row = Masked.of(VOCABULARY, 16, whole_word=True).row([Piece(np.array([10, 11, 13, 15]))], np.random.default_rng(0))
    assert row.targets[1:5].tolist() == [10, 11, 13, 15]


def test_same_key_same_row() -> None:
    masked = Masked.of(VOCABULARY, 64)
    rows = [masked.row([Piece(document(50))], np.random.default_rng((7, k))) for k in (1, 1, 2)]
    assert (rows[0].targets == rows[1].targets).all()
    assert (rows[0].input_ids == rows[1].input_ids).all()
    assert (rows[0].targets != rows[2].targets).any()


def test_special_tokens_in_the_text_are_left_alone() -> None:
    text = np.array([FIRST_WORD, 4, 5, SIZE - SENTINELS, FIRST_WORD + 2])
    for n in range(20):
        row = Masked.of(VOCABULARY, 16).row([Piece(text)], np.random.default_rng(n))
        assert set(row.targets[row.targets != IGNORE].tolist()) <= {FIRST_WORD, FIRST_WORD + 2}
    row = Masked.of(VOCABULARY, 16).row([Piece(np.array([4, 5]))], np.random.default_rng(0))
    assert (row.targets == IGNORE).all()


def test_static_masks_say_so() -> None:
    assert Masked.of(VOCABULARY, 16).variants is None
    assert Masked.of(VOCABULARY, 16, masks="static").variants == 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 2}, "at least 3 tokens, not 2"),
        ({"probability": 0.0}, "probability must lie in"),
        ({"max_predictions": 0}, "max_predictions must be at least 1"),
        ({"duplicates": 0}, "'dynamic' or 'static'"),
    ],
)
def test_wrong_use_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Masked(
            **{"length": 8, "begin": 1, "end": 2, "mask": 3, "pad": 0, "vocabulary": 9, "special_ids": frozenset()}
            | options
        )


def test_a_missing_mask_token_is_named() -> None:
    with pytest.raises(UsageError, match="'masked' needs a mask token"):
        Masked.of(Special(mask_id=None), 8)
