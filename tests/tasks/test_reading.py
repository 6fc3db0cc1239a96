"""Texts in batches: framed by the file's template, in segments, cut only when asked."""

import pytest

from tests.tasks.tiny import TEXTS, headed
from trivium.errors import DataError, UsageError
from trivium.tasks.reading import batches, read


def test_a_pair_is_framed_with_its_segments() -> None:
    lm = headed("bert", "sequence-classification")
    words = lm.tokenizer
    [pair] = read(lm.model, words, [("The cat", "sat")])
    first, second = words.encode("The cat"), words.encode("sat")
    assert pair.ids == [words.begin_id, *first, words.end_id, *second, words.end_id]
    assert pair.segments == [0] * (len(first) + 2) + [1] * (len(second) + 1)
    assert pair.parts == [None, *[0] * len(first), None, *[1] * len(second), None]
    assert [pair.offsets[0], pair.offsets[1][0]] == [(0, 0), 0]


def test_special_tokens_in_a_text_are_only_text() -> None:
    lm = headed("bert", "sequence-classification")
    [found] = read(lm.model, lm.tokenizer, ["The [SEP] cat"])
    assert found.ids.count(lm.tokenizer.end_id) == 1


def test_a_cut_leaves_the_special_tokens_and_the_first_text() -> None:
    lm = headed("bert", "sequence-classification")
    words = lm.tokenizer
    [cut] = read(lm.model, words, [("The cat", "sat " * 200)], truncate=True)
    first, second = words.encode("The cat"), words.encode("sat " * 200)
    assert len(cut.ids) == 64
    assert cut.ids == [words.begin_id, *first, words.end_id, *second[: 61 - len(first)], words.end_id]
    assert len(cut.ids) == len(cut.segments) == len(cut.offsets) == len(cut.words) == len(cut.parts)
    [text] = read(lm.model, words, ["The cat " * 20], truncate=True, limit=9)
    assert text.ids == [words.begin_id, *words.encode("The cat " * 20)[:7], words.end_id]
    with pytest.raises(UsageError, match="first text of pair 0 is over the limit"):
        read(lm.model, words, [("The cat " * 90, "sat")], truncate=True)


def test_what_is_too_long_empty_or_no_text() -> None:
    lm = headed("gpt2", "sequence-classification")
    with pytest.raises(UsageError, match=r"Text 1 has \d+ tokens; this model reads 64"):
        read(lm.model, lm.tokenizer, ["The cat", "the harbour " * 90])
    with pytest.raises(DataError, match="surrogate"):
        read(lm.model, lm.tokenizer, ["The \ud800 cat"])


@pytest.mark.parametrize(("family", "segments"), [("bert", True), ("gpt2", False)])
def test_batches_hold_every_text_once(family: str, segments: bool) -> None:
    lm = headed(family, "sequence-classification")
    readings = read(lm.model, lm.tokenizer, TEXTS * 3)
    found = list(batches(lm.model, readings, rows=4))
    assert [len(batch.places) for batch in found] == [4, 4, 1]
    assert sorted(place for batch in found for place in batch.places) == list(range(9))
    for batch in found:
        assert (batch.segments is not None) == segments
        for row, place in enumerate(batch.places):
            length = len(readings[place].ids)
            assert batch.input_ids[row, :length].tolist() == readings[place].ids
            assert batch.documents is None or int(batch.documents[row].sum()) == length
