"""One source read again and again: window j of it, over all epochs, is a pure function of (seed, source, j).

In each epoch the documents are shuffled, packed, and the windows shuffled. The epochs are packed when they are reached;
only the last two are kept, and of the earlier ones how many windows they had.
"""

__all__ = ["Consumed", "Epochs", "Window"]

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from trivium.data.documents import Documents
from trivium.data.packing import Packing, pack, read_window
from trivium.errors import DataError
from trivium.objectives.row import Contrast, Objective, Piece

# The streams of random numbers; each is keyed by (seed, stream, source, ...).
_ORDER, _WINDOWS, _MASKS, _STRANGERS = 0, 1, 2, 3
_KEPT = 2


@dataclass(frozen=True)
class Window:
    """The pieces of a row, and the key of the generator that its masks are drawn from."""

    pieces: tuple[Piece, ...]
    key: tuple[int, ...]


@dataclass(frozen=True)
class Consumed:
    """What the first windows of a source hold: tokens, documents begun, and the same in epochs of the source."""

    windows: int
    tokens: int
    documents: int
    epochs: float


@dataclass(frozen=True, eq=False)
class _Epoch:
    packing: Packing
    variant: int
    order: Int[np.ndarray, "windows"]
    tokens: Int[np.ndarray, "offsets"]
    begun: Int[np.ndarray, "offsets"]


class Epochs:
    """The windows of one source under an objective. `source` is its number in the mixture."""

    def __init__(self, documents: Documents, objective: Objective, seed: int, source: int = 0) -> None:
        self.documents = documents
        self._objective = objective
        # Asked once: a protocol's check reads all its members, and a window is made for every row of a run.
        self._wants_stranger = isinstance(objective, Contrast) and objective.stranger
        self._key = (seed, source)
        self._lengths = documents.lengths
        self._ends: list[int] = []  # how many windows have gone by at the end of each epoch that was reached
        self._kept: dict[int, _Epoch] = {}

    def packing(self, epoch: int = 0) -> Packing:
        """How the documents lie in the windows of an epoch."""
        return self._epoch(epoch).packing

    def windows(self, epochs: float | int) -> int:
        """How many windows so many epochs have (half an epoch, half its windows)."""
        whole = int(epochs)
        part = epochs - whole
        return self._end(whole - 1) + (int(part * self._epoch(whole).packing.windows) if part else 0)

    def window(self, index: int) -> Window:
        """The window of this index, counted over all epochs."""
        number, place = self._find(index)
        epoch = self._epoch(number)
        window = int(epoch.order[place])
        seed, source = self._key
        pieces = read_window(self.documents, epoch.packing, window)
        if self._wants_stranger:
            pieces.append(self._stranger(epoch, window))
        return Window(
            pieces=tuple(pieces),
            key=(seed, _MASKS, source, epoch.variant, window),
        )

    def consumed(self, windows: int) -> Consumed:
        """What the first so many windows hold, counted."""
        number, place = self._find(windows)
        documents = int((self._lengths > 0).sum())
        tokens, begun = number * self.documents.tokens, number * documents
        if place:
            epoch = self._epoch(number)
            tokens += int(epoch.tokens[place])
            begun += int(epoch.begun[place])
        return Consumed(windows, tokens, begun, tokens / max(1, self.documents.tokens))

    def _stranger(self, epoch: _Epoch, window: int) -> Piece:
        """A random piece of a document that is not in the window."""
        packing, (seed, source) = epoch.packing, self._key
        inside = np.isin(packing.documents, packing.documents[packing.offsets[window] : packing.offsets[window + 1]])
        outside = np.flatnonzero(~inside)
        if not len(outside):
            raise DataError(
                "Every row of this source holds all its documents, and the objective sets each against another one. "
                "Give more documents (a file of text is cut at blank lines), or choose another objective."
            )
        piece = int(np.random.default_rng((seed, _STRANGERS, source, epoch.variant, window)).choice(outside))
        start, stop = int(packing.starts[piece]), int(packing.stops[piece])
        tokens = self.documents.slice(int(packing.documents[piece]), start, stop)
        return Piece(tokens, first=start == 0, last=bool(packing.ends[piece]))

    def _find(self, index: int) -> tuple[int, int]:
        """The epoch of a window, and its place in it."""
        while not self._ends or self._ends[-1] <= index:
            self._end(len(self._ends))
        number = bisect_right(self._ends, index)
        return number, index - self._end(number - 1)

    def _end(self, epoch: int) -> int:
        """How many windows have gone by at the end of an epoch."""
        while len(self._ends) <= epoch:
            number = len(self._ends)
            self._ends.append(self._end(number - 1) + self._epoch(number).packing.windows)
        return self._ends[epoch] if epoch >= 0 else 0

    def _epoch(self, number: int) -> _Epoch:
        if number not in self._kept:
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[number] = self._make(number)
        return self._kept[number]

    def _make(self, number: int) -> _Epoch:
        seed, source = self._key
        # Static masks come again with the same text around them, so the copies are packed alike, too.
        variant = number if self._objective.variants is None else number % self._objective.variants
        documents = np.random.default_rng((seed, _ORDER, source, variant)).permutation(len(self._lengths))
        packing = pack(self._lengths, self._objective, documents)
        order = np.random.default_rng((seed, _WINDOWS, source, number)).permutation(packing.windows)
        return _Epoch(
            packing=packing,
            variant=variant,
            order=order,
            tokens=np.concatenate([[0], np.cumsum(packing.tokens[order])]),
            begun=np.concatenate([[0], np.cumsum(packing.begun[order])]),
        )
