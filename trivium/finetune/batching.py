"""A step's examples as the batches that a model reads: an epoch in an order drawn by its seed, hardly any padding.

Both ways give the gradient of the padded batch: "packed" lays several texts into a row, which attend each to itself;
"by length" cuts the step into batches of texts that are about equally long.
"""

__all__ = ["Shuffled", "batches_of", "in_order"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trivium.finetune.prepared import Batching
from trivium.objectives.batch import Batch
from trivium.objectives.collate import packed, padded
from trivium.objectives.row import Row

#: Fewer rows than these in a batch cost more in calls than they save in padding.
_FEWEST_ROWS = 8
#: Tokens of a row that holds several texts, where none is longer: long rows pay for all the pairs that do not attend.
_PACKED_TOKENS = 64


@dataclass(frozen=True)
class Shuffled:
    """The examples of each step, a pure function of (seed, step): every epoch reads all, in an order of its own."""

    rows: Sequence[Row]
    batch: int
    seed: int

    def __call__(self, step: int) -> list[Row]:
        """The examples of a step, counted from 0; the last step of an epoch may have fewer."""
        epoch, place = divmod(step, -(-len(self.rows) // self.batch))
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.rows))
        return [self.rows[index] for index in order[place * self.batch : (place + 1) * self.batch]]


def batches_of(rows: Sequence[Row], pad: int, how: Batching) -> Iterator[Batch]:
    """The batches of one step."""
    match how:
        case "whole":
            yield padded(rows, pad)
        case "packed":
            yield packed(rows, pad, _PACKED_TOKENS)
        case "by length":
            ordered = sorted(rows, key=_length)
            parts = max(1, len(rows) // _FEWEST_ROWS)
            for places in np.array_split(np.arange(len(rows)), parts):
                yield padded([ordered[place] for place in places], pad)


def in_order(rows: Sequence[Row], pad: int, how: Batching, batch: int) -> Iterator[Batch]:
    """All examples once, for a validation: by length, or in their order where a batch is set against itself."""
    ordered = rows if how == "whole" else sorted(rows, key=_length)
    for first in range(0, len(rows), batch):
        yield padded(ordered[first : first + batch], pad)


def _length(row: Row) -> int:
    return max(len(row.input_ids), len(row.targets))
