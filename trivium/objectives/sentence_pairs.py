"""Two texts in a row, hidden tokens in both, and a question about the pair, which the task head answers.

    [CLS] A [SEP] B [SEP]    segments 0 for [CLS] A [SEP], 1 for B [SEP]

- Next sentence (Devlin et al. 2019, section 3.1): half of the time B follows A, label 0; else B is of another
  document, label 1.
- Sentence order (Lan et al. 2020, section 3.1): A and B follow each other, and half of the time they are swapped.
  Label 0 says in order, 1 swapped.

A row is made of one piece of a document, cut in two at a random end of a sentence, or anywhere if none is inside. A
piece of one token cannot be cut: it stands alone as A, and has the label `IGNORE`. Where B is of another document, it
begins behind an end of a sentence there and is as long as the half that it stands for, if that document's piece has so
much; that half is not read in this epoch (the next one cuts elsewhere). BERT's released code differs in three points:
it puts such halves back and reads them in the next pair, it shortens one pair of ten, and it makes the pairs once, with
ten masks each.

Letters: n tokens of a piece, m of a row before padding, T positions of a row.
"""

__all__ = ["SentencePairs"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Int

from trivium.errors import UsageError
from trivium.objectives.batch import IGNORE
from trivium.objectives.masked import Masked
from trivium.objectives.row import Piece, Row
from trivium.objectives.vocabulary import Vocabulary

#: [CLS], and [SEP] behind each of the two.
_SPECIAL = 3


@dataclass(frozen=True, eq=False)
class SentencePairs:
    """Pairs of sentences, asked whether B is `next` to A or whether both are in `order`, over a `Masked` objective.

    Rows shorter than 5 tokens, which hold no pair, raise `UsageError`.
    """

    masked: Masked
    sentence_ends: Bool[np.ndarray, "V"]
    question: Literal["next", "order"]

    def __post_init__(self) -> None:
        if self.masked.length < _SPECIAL + 2:
            raise UsageError(f"A pair of sentences needs rows of at least 5 tokens, not {self.masked.length}.")

    @classmethod
    def next_sentence(cls, vocabulary: Vocabulary, length: int, **options: Any) -> "SentencePairs":
        """Next sentence over a tokenizer's ids; the options are those of `Masked.of`."""
        return cls(Masked.of(vocabulary, length, **options), vocabulary.sentence_ends, "next")

    @classmethod
    def sentence_order(cls, vocabulary: Vocabulary, length: int, **options: Any) -> "SentencePairs":
        """Sentence order over a tokenizer's ids; the options are those of `Masked.of`."""
        return cls(Masked.of(vocabulary, length, **options), vocabulary.sentence_ends, "order")

    @property
    def stranger(self) -> bool:
        """A piece of another document is wanted where the question is what is next."""
        return self.question == "next"

    @property
    def capacity(self) -> tuple[int]:
        """(length,)."""
        return self.masked.capacity

    @property
    def overlap(self) -> int:
        """0."""
        return self.masked.overlap

    @property
    def variants(self) -> int | None:
        """Those of the masks."""
        return self.masked.variants

    @property
    def pad(self) -> int:
        """The id that fills a row."""
        return self.masked.pad

    def lengths(self, tokens: int, first: bool, last: bool) -> tuple[int]:
        """The whole row, however short the piece: one pair a row, as the task head reads its first token."""
        del first, last
        return (max(self.masked.length, tokens + _SPECIAL),)

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """The pair of the first piece; of what is next, the second is the stranger."""
        assert len(pieces) == 1 + self.stranger, "a row holds one pair"
        tokens = pieces[0].tokens
        if len(tokens) == 1:
            return self._pair(tokens, tokens[:0], IGNORE, rng)
        cut = int(rng.choice(self._cuts(tokens)))
        first, second, label = tokens[:cut], tokens[cut:], int(rng.integers(2))
        if not label:
            return self._pair(first, second, label, rng)
        if self.stranger:
            return self._pair(first, self._part(pieces[1].tokens, len(second), rng), label, rng)
        return self._pair(second, first, label, rng)

    def _cuts(self, tokens: Int[np.ndarray, "n"]) -> Int[np.ndarray, "_"]:
        """Where a piece may be cut: behind its ends of sentences, or anywhere if it has none inside."""
        cuts = 1 + np.flatnonzero(self.sentence_ends[tokens[:-1]])
        return cuts if len(cuts) else np.arange(1, len(tokens))

    def _part(self, tokens: Int[np.ndarray, "n"], wanted: int, rng: np.random.Generator) -> Int[np.ndarray, "_"]:
        """So many tokens from the beginning of a sentence on; the last ones where none that begins has so many."""
        cuts = self._cuts(tokens)
        begins = cuts[cuts <= len(tokens) - wanted]
        begin = int(rng.choice(begins)) if len(begins) else max(0, len(tokens) - wanted)
        return tokens[begin : begin + wanted]

    def _pair(
        self, first: Int[np.ndarray, "_"], second: Int[np.ndarray, "_"], label: int, rng: np.random.Generator
    ) -> Row:
        begin, end = np.array([self.masked.begin]), np.array([self.masked.end])
        ids = np.concatenate([begin, first, end, second, end], dtype=np.int64)
        segments = np.zeros(self.masked.length, dtype=np.int64)
        segments[len(first) + 2 : len(ids)] = 1
        return replace(self.masked.hide(ids, np.zeros_like(ids), rng), segments=segments, label=label)
