"""The causal objective: say each token from those before it (Radford et al. 2018, equation 1).

    loss = - sum_i log p(token_i | start, token_1, ..., token_{i-1})

A document is read as start, tokens, end. Where it is cut, the next piece reads the last token of the piece before once
more, so that every token, and every end, is asked for exactly once.

Letters: T positions of a row.
"""

__all__ = ["Causal"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trivium.errors import UsageError
from trivium.objectives.batch import IGNORE, PADDING
from trivium.objectives.row import Piece, Row
from trivium.objectives.vocabulary import Vocabulary, required


@dataclass(frozen=True)
class Causal:
    """Next-token prediction over rows of `length` tokens. A length below 3 raises `UsageError`."""

    length: int
    start: int
    end: int
    pad: int

    overlap: ClassVar[int] = 1
    variants: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        if self.length < 3:
            raise UsageError(
                f"The causal objective needs rows of at least 3 tokens, not {self.length}: raise the length."
            )

    @classmethod
    def of(cls, vocabulary: Vocabulary, length: int) -> "Causal":
        """The objective over a tokenizer's ids. Where it has no start token, its end token starts a document too."""
        end = required(vocabulary.end_id, "an end token", "causal")
        start = end if vocabulary.begin_id is None else vocabulary.begin_id
        pad = end if vocabulary.pad_id is None else vocabulary.pad_id
        return cls(length=length, start=start, end=end, pad=pad)

    @property
    def capacity(self) -> tuple[int]:
        """(length,)."""
        return (self.length,)

    def lengths(self, tokens: int, first: bool, last: bool) -> tuple[int]:
        """Start and end are added; one token less is read than said."""
        return (tokens + first + last - 1,)

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """Inputs and targets of T positions; `rng` is not used, as nothing here is random."""
        del rng
        start, end = np.array([self.start]), np.array([self.end])
        parts = [part for p in pieces for part in (start[: p.first], p.tokens, end[: p.last])]
        ids = np.concatenate(parts, dtype=np.int64)
        sizes = np.array([len(p.tokens) + p.first + p.last for p in pieces])
        ends = np.cumsum(sizes)
        used = len(ids) - len(pieces)
        assert used <= self.length, "the pieces do not fit the row"
        input_ids = np.full(self.length, self.pad)
        targets = np.full(self.length, IGNORE)
        documents = np.full(self.length, PADDING)
        input_ids[:used] = np.delete(ids, ends - 1)
        targets[:used] = np.delete(ids, ends - sizes)
        documents[:used] = np.repeat(np.arange(1, len(pieces) + 1), sizes - 1)
        return Row(input_ids, targets, documents)
