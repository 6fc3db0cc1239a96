"""Sentences that come as words, as a model with a token head reads them: each word with its first piece.

    words      Ada       Lovelace      met
    text       "Ada Lovelace met"                     joined by spaces, so that words look as they do in a text
    tokens     [CLS]  Ada  Love  ##lace  met  [SEP]
    firsts            1    2             4            the token that bears the word's label

For WordPiece these are the tokens and the first pieces of `transformers`' recipe (`is_split_into_words=True` and
`word_ids()`). A byte-level vocabulary writes the space before a word into it, and the recipe leaves it out before
the first word of all or, without `add_prefix_space`, before every one; here a word is what it is within a text.
"""

__all__ = ["Sentence", "read_words"]

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from trivium.errors import UsageError
from trivium.tasks.reading import Read, framed
from trivium.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Sentence:
    """Words joined to a text, the characters of each (begin, end), its tokens, and the first token of each word.

    A word of which the tokenizer makes nothing (a lone control character) has no first token.
    """

    text: str
    places: tuple[tuple[int, int], ...]
    read: Read
    firsts: tuple[int | None, ...]


def read_words(tokenizer: Tokenizer, words: Sequence[str], what: str = "The sentence") -> Sentence:
    """The tokens of a sentence, whole. Raises `UsageError` where there is no word, or an empty one, or a text."""
    if isinstance(words, str):
        raise UsageError(f"{what} is a text ({words!r:.40}), and a list of its words is wanted: `tag` takes texts.")
    if not words:
        raise UsageError(f"{what} has no words: give one at least.")
    places, end = [], -1
    for number, word in enumerate(words):
        if not word.strip():
            raise UsageError(f"{what} has an empty word, number {number}: leave it out.")
        places.append((end + 1, end + 1 + len(word)))
        end = places[-1][1]
    text = " ".join(words)
    reading = framed(tokenizer, text)
    return Sentence(text, tuple(places), reading, _firsts(text, places, reading))


def _firsts(text: str, places: Sequence[tuple[int, int]], reading: Read) -> tuple[int | None, ...]:
    begins = [begin for begin, _ in places]
    found: dict[int, int] = {}
    for token, ((start, end), part) in enumerate(zip(reading.offsets, reading.parts, strict=True)):
        piece = text[start:end]
        if part is None or not piece.strip():
            continue
        start += len(piece) - len(piece.lstrip())  # some vocabularies keep the space with the word
        found.setdefault(bisect_right(begins, start) - 1, token)
    return tuple(found.get(word) for word in range(len(places)))
