"""Packing: documents in an order become windows, each full of pieces and each a row of a batch.

Next-fit with splitting: a window takes the next documents whole as long as they fit every capacity of the objective,
then as much of the next one as fits; the rest opens the following window. Nothing is dropped and nothing is padded but
the last few positions, and every token is new in exactly one piece. Attention between pieces is blocked by the model,
so that a neighbour changes nothing. A document longer than everything is only cut more often.
"""

__all__ = ["MINIMUM_PIECE", "Packing", "pack", "read_window"]

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from trivium.data.documents import Documents
from trivium.objectives.row import Objective, Piece

#: A window with room for fewer tokens of the next document is closed: such a beginning teaches nothing.
MINIMUM_PIECE = 8


@dataclass(frozen=True, eq=False)
class Packing:
    """Windows of pieces: window w holds the pieces offsets[w] to offsets[w + 1], in the order of the documents.

    Piece i is the tokens starts[i] to stops[i] of document documents[i], up to its end if ends[i]; where it goes on
    with a document, the first `overlap` of them were in the piece before, too. `fill` is the used part of each
    capacity.
    """

    documents: Int[np.ndarray, "pieces"]
    starts: Int[np.ndarray, "pieces"]
    stops: Int[np.ndarray, "pieces"]
    ends: Bool[np.ndarray, "pieces"]
    offsets: Int[np.ndarray, "offsets"]
    overlap: int
    fill: tuple[float, ...]

    @property
    def windows(self) -> int:
        """How many windows there are."""
        return len(self.offsets) - 1

    @cached_property
    def tokens(self) -> Int[np.ndarray, "windows"]:
        """The new tokens of each window; together all tokens of all documents."""
        new = self.stops - self.starts - self.overlap * (self.starts > 0)
        return np.diff(np.concatenate(([0], np.cumsum(new)))[self.offsets])

    @cached_property
    def begun(self) -> Int[np.ndarray, "windows"]:
        """How many documents begin in each window."""
        return np.diff(np.concatenate(([0], np.cumsum(self.starts == 0)))[self.offsets])

    @property
    def cut(self) -> int:
        """How many documents are in more than one piece."""
        return len(np.unique(self.documents[self.starts > 0]))


def pack(
    lengths: Int[np.ndarray, "documents"], objective: Objective, order: Int[np.ndarray, "documents"] | None = None
) -> Packing:
    """Pack documents of these lengths, in this order (by default their own). Empty ones are left out."""
    order = np.arange(len(lengths)) if order is None else order
    order = order[lengths[order] > 0]
    sizes = lengths[order].astype(np.int64)
    cut_pieces, whole, used = _next_fit(sizes, objective)

    window, place, starts, stops = np.array(cut_pieces, dtype=np.int64).reshape(-1, 4).T
    first, stop = np.array(whole, dtype=np.int64).reshape(-1, 2).T
    run = stop - first  # whole documents of each window
    uncut = np.arange(run.sum()) + np.repeat(first - np.cumsum(run) + run, run)
    place = np.concatenate([place, uncut])
    by_place = np.argsort(place, kind="stable")  # the pieces of one document are in their order already
    window = np.concatenate([window, np.repeat(np.arange(len(run)), run)])
    place, stops = place[by_place], np.concatenate([stops, sizes[uncut]])[by_place]
    return Packing(
        documents=order[place],
        starts=np.concatenate([starts, np.zeros_like(uncut)])[by_place],
        stops=stops,
        ends=stops == sizes[place],
        offsets=np.concatenate([[0], np.cumsum(np.bincount(window, minlength=len(run)))]),
        overlap=objective.overlap,
        fill=tuple(u / (capacity * max(1, len(run))) for u, capacity in zip(used, objective.capacity, strict=True)),
    )


def read_window(documents: Documents, packing: Packing, window: int) -> list[Piece]:
    """The pieces of one window with their tokens."""
    pieces = slice(packing.offsets[window], packing.offsets[window + 1])
    columns = (packing.documents, packing.starts, packing.stops, packing.ends)
    return [
        Piece(documents.slice(number, start, stop), first=start == 0, last=last)
        for number, start, stop, last in zip(*(column[pieces].tolist() for column in columns), strict=True)
    ]


#: What pieces of 0, 1, 2, ... tokens take of a window: of its inputs, of its targets.
_Costs = tuple[list[int], list[int]]


def _costs(objective: Objective, *, first: bool, last: bool) -> _Costs:
    """The costs of one kind of piece, up to the first that does not fit. Without a capacity of targets, those are 0."""
    rows: list[tuple[int, ...]] = []
    while not rows or all(cost <= capacity for cost, capacity in zip(rows[-1], objective.capacity, strict=True)):
        rows.append(objective.lengths(len(rows), first, last))
    return [row[0] for row in rows], [row[-1] if len(row) > 1 else 0 for row in rows]


def _sums(sizes: Int[np.ndarray, "n"], objective: Objective) -> _Costs:
    """What the first 0, 1, 2, ... whole documents take together; one that is too long takes more than there is."""
    inputs, targets = (np.array(column) for column in _costs(objective, first=True, last=True))
    inputs[-1] = objective.capacity[0] + 1
    known = np.minimum(sizes, len(inputs) - 1)
    return [0, *np.cumsum(inputs[known]).tolist()], [0, *np.cumsum(targets[known]).tolist()]


def _next_fit(
    sizes: Int[np.ndarray, "n"], objective: Objective
) -> tuple[list[tuple[int, int, int, int]], list[tuple[int, int]], list[int]]:
    """The loop over windows: (window, document, start, stop) of the pieces of cut documents, [first, stop) of the whole
    documents of each window, and how much of each capacity all windows together use.

    Written out for two capacities and without a call for each step, as it runs once for every window of every epoch.
    """
    head_inputs, head_targets = _costs(objective, first=True, last=False)
    middle_inputs, middle_targets = _costs(objective, first=False, last=False)
    tail_inputs, tail_targets = _costs(objective, first=False, last=True)
    inputs_before, targets_before = _sums(sizes, objective)
    capacity, target_capacity, overlap = objective.capacity[0], objective.capacity[-1], objective.overlap
    size, count = sizes.tolist(), len(sizes)
    cut: list[tuple[int, int, int, int]] = []
    whole: list[tuple[int, int]] = []
    used = used_targets = 0
    document, begun = 0, 0  # the next document, and where its next piece starts
    while document < count:
        window, free, free_targets = len(whole), capacity, target_capacity
        if begun:
            tokens = size[document] - begun
            if tokens < len(tail_inputs) and tail_inputs[tokens] <= free and tail_targets[tokens] <= free_targets:
                cut.append((window, document, begun, begun + tokens))
                free, free_targets = free - tail_inputs[tokens], free_targets - tail_targets[tokens]
                document, begun = document + 1, 0
            else:
                tokens = min(
                    bisect_right(middle_inputs, free) - 1, bisect_right(middle_targets, free_targets) - 1, tokens - 1
                )
                assert tokens > overlap, "the objective lets no token into a row"
                cut.append((window, document, begun, begun + tokens))
                free, free_targets = free - middle_inputs[tokens], free_targets - middle_targets[tokens]
                begun += tokens - overlap
        first = document
        if not begun and document < count:
            most, most_targets = inputs_before[first] + free, targets_before[first] + free_targets
            document = bisect_right(inputs_before, most, first, min(first + free + 2, count + 1)) - 1
            if targets_before[document] > most_targets:
                document = bisect_right(targets_before, most_targets, first, document + 1) - 1
            free, free_targets = most - inputs_before[document], most_targets - targets_before[document]
            if document < count:
                tokens = min(
                    bisect_right(head_inputs, free) - 1,
                    bisect_right(head_targets, free_targets) - 1,
                    size[document] - 1,
                )
                if tokens >= MINIMUM_PIECE or (tokens > 0 and free == capacity):
                    cut.append((window, document, 0, tokens))
                    free, free_targets = free - head_inputs[tokens], free_targets - head_targets[tokens]
                    begun = tokens - overlap
        whole.append((first, document))
        used, used_targets = used + capacity - free, used_targets + target_capacity - free_targets
    return cut, whole, [used, used_targets][: len(objective.capacity)]
