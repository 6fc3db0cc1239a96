"""Documents of token ids: what packing and mixtures read, on disk (`Shards`) or in memory.

Letters: n tokens of a document.
"""

__all__ = ["Documents", "InMemoryDocuments"]

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, Integer


@runtime_checkable
class Documents(Protocol):
    """Tokenized documents by number, without special tokens."""

    @property
    def documents(self) -> int:
        """How many there are."""
        ...

    @property
    def lengths(self) -> Int[np.ndarray, "documents"]:
        """The tokens of each."""
        ...

    @property
    def tokens(self) -> int:
        """The tokens of all."""
        ...

    def slice(self, index: int, start: int, stop: int) -> Int[np.ndarray, "n"]:
        """Tokens [start, stop) of one document."""
        ...


class InMemoryDocuments:
    """Documents that the user has as lists or arrays of token ids already."""

    def __init__(self, documents: Iterable[Iterable[int] | Integer[np.ndarray, "n"]]) -> None:
        arrays = [np.asarray(d if isinstance(d, np.ndarray) else list(d), dtype=np.int64) for d in documents]
        self._offsets = np.cumsum([0, *(len(array) for array in arrays)])
        self._ids = np.concatenate([np.zeros(0, dtype=np.int64), *arrays])

    @property
    def documents(self) -> int:
        """How many there are."""
        return len(self._offsets) - 1

    @property
    def lengths(self) -> Int[np.ndarray, "documents"]:
        """The tokens of each."""
        return np.diff(self._offsets)

    @property
    def tokens(self) -> int:
        """The tokens of all."""
        return len(self._ids)

    def slice(self, index: int, start: int, stop: int) -> Int[np.ndarray, "n"]:
        """Tokens [start, stop) of one document."""
        begin, end = self._offsets[index : index + 2]
        return self._ids[begin:end][start:stop]
