"""The two ends of an objective: the pieces of documents that it is given and the row that it makes of them.

Letters: n tokens of a piece, T positions of the input, U positions where the head may speak (U = T for an encoder or a
decoder).
"""

__all__ = ["Contrast", "Label", "Objective", "Piece", "Row"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int


@dataclass(frozen=True)
class Piece:
    """A document, or as much of it as fits a row. `first` starts its document, `last` ends it."""

    tokens: Int[np.ndarray, "n"]
    first: bool = True
    last: bool = True


#: What a task head must say of a text: its class, a number, a number for each label, where an answer begins and ends.
Label = int | float | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """One row of a batch, padded to the objective's capacity; the fields are those of `Batch`."""

    input_ids: Int[np.ndarray, "T"]
    targets: Int[np.ndarray, "U"]
    documents: Int[np.ndarray, "T"]
    decoder_input_ids: Int[np.ndarray, "U"] | None = None
    decoder_documents: Int[np.ndarray, "U"] | None = None
    segments: Int[np.ndarray, "T"] | None = None
    label: Label | None = None
    prefix: Bool[np.ndarray, "T"] | None = None


@runtime_checkable
class Objective(Protocol):
    """What every objective offers to packing, mixture and loader."""

    @property
    def capacity(self) -> tuple[int, ...]:
        """The length of a row: (inputs,), or (inputs, targets) of an encoder-decoder."""
        ...

    @property
    def overlap(self) -> int:
        """Tokens that consecutive pieces of a document share: the later piece reads them and is not asked for them."""
        ...

    @property
    def variants(self) -> int | None:
        """After how many epochs the same rows come again (static masks); None where every epoch draws new ones."""
        ...

    @property
    def pad(self) -> int:
        """The id that fills a row to its capacity."""
        ...

    def lengths(self, tokens: int, first: bool, last: bool) -> tuple[int, ...]:
        """What a piece of so many tokens takes of each capacity at most. Never falls as `tokens` grows."""
        ...

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """A padded row of these pieces, which become its documents 1, 2, ... All randomness comes from `rng`."""
        ...


@runtime_checkable
class Contrast(Protocol):
    """An objective that may set a document against another.

    Where `stranger` holds, `row` is given one piece more: last, of another document, and not counted as read.
    """

    @property
    def stranger(self) -> bool:
        """Whether it does."""
        ...
