"""Text while it arrives: whole characters, whole words, the same text as at once."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decode.tiny import TEXTS, tokenizer
from trivium.decode.stream import TextStream
from trivium.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def bpe() -> Tokenizer:
    return tokenizer("bpe")


@pytest.fixture(scope="module")
def unigram() -> Tokenizer:
    return tokenizer("unigram")


def streamed(tokenizer: Tokenizer, ids: list[int], prompt: list[int] = [], stops: list[str] = []) -> list[str]:  # noqa: B006
    stream = TextStream(tokenizer, prompt, stops)
    return [*(stream.feed(token) for token in ids), stream.finish()]


def test_bytes_of_a_character_are_held_until_it_is_whole(bpe: Tokenizer) -> None:
    ids = [number for byte in "é🙂".encode() for number in bpe_of_byte(bpe, byte)]
    assert streamed(bpe, ids) == ["", "é", "", "", "", "🙂", ""]
    assert streamed(bpe, ids[:-1]) == ["", "é", "", "", "", ""]  # the half character is dropped


def bpe_of_byte(bpe: Tokenizer, byte: int) -> list[int]:
    """The one token that is this byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [number for number in range(256) if number not in printable]
    letter = chr(byte) if byte in printable else chr(256 + others.index(byte))
    number = bpe.id(letter)
    assert number is not None
    return [number]


@given(text=st.text(st.sampled_from("aé日🙂 .\n"), max_size=20))
def test_byte_level_pieces_joined_are_the_text(bpe: Tokenizer, text: str) -> None:
    pieces = streamed(bpe, bpe.encode(text))
    assert "".join(pieces) == text
    assert all("\N{REPLACEMENT CHARACTER}" not in piece for piece in pieces)


@given(ids=st.lists(st.integers(2, 299), max_size=12))
def test_any_tokens_stream_as_they_decode(bpe: Tokenizer, ids: list[int]) -> None:
    """Bytes that are no text included; only what is unfinished at the very end is dropped."""
    joined = "".join(streamed(bpe, ids))
    assert joined.rstrip("\N{REPLACEMENT CHARACTER}") == bpe.decode(ids).rstrip("\N{REPLACEMENT CHARACTER}")


WORDS = ["The", "cat", "sat", "on", "mat", ";", "dog", "did", "not"]


@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
def test_spaces_between_words_come_with_the_next_word(unigram: Tokenizer, words: list[str]) -> None:
    ids = unigram.encode(" ".join(words))
    assert "".join(streamed(unigram, ids)) == " ".join(words) == unigram.decode(ids)


def test_a_continuation_begins_with_its_space(unigram: Tokenizer, bpe: Tokenizer) -> None:
    for words in (unigram, bpe):
        prompt, ids = words.encode("The cat"), words.encode("The cat sat")
        assert ids[: len(prompt)] == prompt
        assert "".join(streamed(words, ids[len(prompt) :], prompt)) == " sat"


def test_special_tokens_are_not_text(unigram: Tokenizer) -> None:
    end, sentinel = unigram.end_id, unigram.sentinel_ids[0]
    assert end is not None
    ids = [sentinel, *unigram.encode("The cat"), sentinel, *unigram.encode("sat"), end]
    assert "".join(streamed(unigram, ids)) == "The cat sat"


@given(stop=st.sampled_from(["\n\n", "cat s", "🙂", "mat, and the dog", "nowhere"]))
def test_a_stop_string_spans_tokens_and_is_never_shown_in_part(bpe: Tokenizer, stop: str) -> None:
    text = TEXTS[0] + TEXTS[1]
    pieces = streamed(bpe, bpe.encode(text), stops=[stop])
    expected = text.split(stop)[0]
    assert "".join(pieces) == expected
    assert all(expected.startswith(part) for part in itertools.accumulate(pieces))


def test_it_knows_that_it_has_stopped(bpe: Tokenizer) -> None:
    stream = TextStream(bpe, stops=["cat"])
    for token in bpe.encode("The cat sat"):
        stream.feed(token)
    assert stream.stopped
    assert stream.finish() == ""
