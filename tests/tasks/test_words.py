"""First pieces are those of the recipe of `transformers`: `is_split_into_words` and `word_ids`."""

from pathlib import Path

import pytest
import transformers as hf

from tests.decode.tiny import tokenizer
from trivium.errors import UsageError
from trivium.tasks.words import read_words

SENTENCES = [
    ["The", "old", "sailor", "walked", "down", "."],
    ["naïve", "U.S.", "semi-final", "日本語", "don't", "(", "x", ")"],
    ["Unbelievably", "LONG-WINDED", "1996-08-22", "%", "…", "é", "🙂!"],
]


def recipe(theirs: hf.PreTrainedTokenizerBase, words: list[str]) -> tuple[list[int], list[int]]:
    """The ids, and the first token of each word, as transformers' own examples align labels."""
    encoding = theirs(words, is_split_into_words=True)
    ids = encoding.word_ids()
    firsts = [
        place for place, word in enumerate(ids) if word is not None and word != (ids[place - 1] if place else None)
    ]
    return encoding["input_ids"], firsts


@pytest.mark.parametrize("words", SENTENCES)
def test_wordpiece_is_as_the_recipe_has_it(words: list[str], tmp_path: Path) -> None:
    tokenizer("wordpiece").save(tmp_path)
    ids, firsts = recipe(hf.AutoTokenizer.from_pretrained(tmp_path), words)
    ours = read_words(tokenizer("wordpiece"), words)
    assert ours.read.ids == ids
    assert list(ours.firsts) == firsts


@pytest.mark.parametrize("words", SENTENCES)
def test_a_byte_level_word_bears_the_space_before_it(words: list[str], tmp_path: Path) -> None:
    tokenizer("bpe").save(tmp_path)
    theirs = hf.AutoTokenizer.from_pretrained(tmp_path)
    alone = [words[0], *(f" {word}" for word in words[1:])]
    pieces = [theirs.tokenize(word) for word in alone]
    ours = read_words(tokenizer("bpe"), words)
    begin = ours.read.parts.index(0)
    read = [ours.read.ids[place] for place, part in enumerate(ours.read.parts) if part == 0]
    assert theirs.convert_ids_to_tokens(read) == [piece for of_word in pieces for piece in of_word]
    # A space that is a piece by itself shows nothing of the word behind it.
    firsts = [begin + sum(map(len, pieces[:word])) + (of_word[0] == "Ġ") for word, of_word in enumerate(pieces)]
    assert list(ours.firsts) == firsts


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
@pytest.mark.parametrize("words", SENTENCES)
def test_a_first_piece_begins_its_word(kind: str, words: list[str]) -> None:
    sentence = read_words(tokenizer(kind), words)
    assert sentence.text == " ".join(words)
    for word, (start, end), first in zip(words, sentence.places, sentence.firsts, strict=True):
        assert sentence.text[start:end] == word
        assert first is not None
        begin, stop = sentence.read.offsets[first]
        piece = sentence.text[begin:stop]
        assert begin + len(piece) - len(piece.lstrip()) == start


def test_a_word_of_nothing_has_no_piece() -> None:
    sentence = read_words(tokenizer("wordpiece"), ["The", "\u0000", "cat"])
    assert [first is None for first in sentence.firsts] == [False, True, False]


@pytest.mark.parametrize(
    ("words", "said"), [([], "has no words"), (["a", " "], "an empty word, number 1"), ("a cat", "is a text")]
)
def test_what_is_no_sentence(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_words(tokenizer("wordpiece"), words)
