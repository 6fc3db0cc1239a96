"""The prefix objective: read the beginning of a text from both sides, say the rest (Raffel et al. 2020, section 3.2.1).

    document  a b c d e          inputs  a b EOS          targets  c d e EOS

Where the prefix ends is drawn anew each time, all places being equally likely (`random_prefix_noise_mask` of the
authors' code), so that half of the tokens are asked for on average. Of a piece with one token the prefix is empty.

The prefix is read by the encoder and the rest said by the decoder of an encoder-decoder.

Letters: T positions of the inputs, U = T positions of the targets.
"""

__all__ = ["Prefix"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trivium.errors import UsageError
from trivium.objectives.pair import pair_of_pieces
from trivium.objectives.row import Piece, Row
from trivium.objectives.vocabulary import Vocabulary, required


@dataclass(frozen=True)
class Prefix:
    """Prefix language modelling over rows of `length` inputs and as many targets, as any prefix may be drawn.

    `start` opens the decoder (T5: the padding id). A length below 2 raises `UsageError`.
    """

    length: int
    end: int
    pad: int
    start: int

    overlap: ClassVar[int] = 0
    variants: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        if self.length < 2:
            raise UsageError(
                f"The prefix objective needs rows of at least 2 tokens, not {self.length}: raise the length."
            )

    @classmethod
    def of(cls, vocabulary: Vocabulary, length: int) -> "Prefix":
        """The objective over a tokenizer's ids; the decoder starts with the padding id, as T5's does."""
        pad = required(vocabulary.pad_id, "a padding token", "prefix")
        return cls(length=length, end=required(vocabulary.end_id, "an end token", "prefix"), pad=pad, start=pad)

    @property
    def capacity(self) -> tuple[int, int]:
        """(inputs, targets)."""
        return (self.length, self.length)

    def lengths(self, tokens: int, first: bool, last: bool) -> tuple[int, int]:
        """At most: all but one token and an end on the side of the inputs, all but one and an end on the other."""
        del first, last
        return max(1, tokens - 1) + (tokens > 1), max(2, tokens)

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """Both sides of the row; on each, a piece is a document of its own."""
        end = np.array([self.end])
        cuts = [int(rng.integers(1, len(p.tokens))) if len(p.tokens) > 1 else 0 for p in pieces]
        shown = [np.append(p.tokens[:cut], end) for p, cut in zip(pieces, cuts, strict=True)]
        said = [np.append(p.tokens[cut:], end) for p, cut in zip(pieces, cuts, strict=True)]
        return pair_of_pieces(shown, said, capacity=self.capacity, pad=self.pad, start=self.start)
