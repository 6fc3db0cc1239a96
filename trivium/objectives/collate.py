"""Rows become a batch: numpy below, torch above.

Rows of an objective are equally long. Those of a task are as long as their texts: `padded` fills them up, and `packed`
lays several of them into one row, so that hardly any padding is read. Both give the same loss and the same gradient.
"""

__all__ = ["collate", "joined", "packed", "padded"]

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from trivium.objectives.batch import IGNORE, PADDING, Batch
from trivium.objectives.row import Row


def collate(rows: Sequence[Row]) -> Batch:
    """Stack rows of one objective. Where every row is one document without padding, `documents` is None (fast path)."""
    assert rows, "a batch has at least one row"
    return Batch(
        input_ids=_stack([row.input_ids for row in rows]),
        targets=_stack([row.targets for row in rows]),
        documents=_stack_documents([row.documents for row in rows]),
        decoder_input_ids=_stack([r.decoder_input_ids for r in rows if r.decoder_input_ids is not None])
        if rows[0].decoder_input_ids is not None
        else None,
        decoder_documents=_stack_documents([r.decoder_documents for r in rows if r.decoder_documents is not None])
        if rows[0].decoder_documents is not None
        else None,
        segments=_stack([row.segments for row in rows if row.segments is not None])
        if rows[0].segments is not None
        else None,
        labels=_labels(rows),
        prefix=torch.from_numpy(np.stack([row.prefix for row in rows if row.prefix is not None]))
        if rows[0].prefix is not None
        else None,
    )


def padded(rows: Sequence[Row], pad: int) -> Batch:
    """Rows of any lengths, each filled up to the longest by `pad`, which is read by nobody and has no target."""
    inputs = max(len(row.input_ids) for row in rows)
    outputs = max(len(row.targets) for row in rows)
    return collate([_filled(row, inputs, outputs, pad) for row in rows])


def packed(rows: Sequence[Row], pad: int, capacity: int) -> Batch:
    """The same in fewer rows of up to `capacity` tokens (or the longest), several texts in each as its documents.

    First fit, the longest first. The labels follow the texts, row by row.
    """
    room = max(capacity, *(_length(row) for row in rows))
    bins: list[list[Row]] = []
    left: list[int] = []
    for row in sorted(rows, key=_length, reverse=True):
        place = next((place for place, free in enumerate(left) if free >= _length(row)), len(bins))
        if place == len(bins):
            bins.append([])
            left.append(room)
        bins[place].append(row)
        left[place] -= _length(row)
    batch = padded([joined(held) for held in bins], pad)
    return replace(batch, labels=_labels([row for held in bins for row in held]))


def _length(row: Row) -> int:
    return max(len(row.input_ids), len(row.targets))


def joined(rows: Sequence[Row]) -> Row:
    """One row of several, whose documents are numbered on."""
    numbers = np.cumsum([0, *(int(row.documents.max()) for row in rows)]).tolist()

    def numbered(sides: Sequence[np.ndarray]) -> np.ndarray:
        pairs = zip(sides, numbers, strict=False)
        return np.concatenate([np.where(side == PADDING, PADDING, side + number) for side, number in pairs])

    def behind(sides: Sequence[np.ndarray | None]) -> np.ndarray | None:
        parts = [side for side in sides if side is not None]
        return np.concatenate(parts) if parts else None

    written = [row.decoder_documents for row in rows if row.decoder_documents is not None]
    return Row(
        np.concatenate([row.input_ids for row in rows]),
        np.concatenate([row.targets for row in rows]),
        numbered([row.documents for row in rows]),
        behind([row.decoder_input_ids for row in rows]),
        numbered(written) if written else None,
        behind([row.segments for row in rows]),
        None,
        behind([row.prefix for row in rows]),
    )


def _filled(row: Row, inputs: int, outputs: int, pad: int) -> Row:
    def fill(array: np.ndarray, length: int, value: int) -> np.ndarray:
        return np.pad(array, (0, length - len(array)), constant_values=value)

    def filled(array: np.ndarray | None, length: int, value: int) -> np.ndarray | None:
        return None if array is None else fill(array, length, value)

    return replace(
        row,
        input_ids=fill(row.input_ids, inputs, pad),
        targets=fill(row.targets, inputs if row.decoder_input_ids is None else outputs, IGNORE),
        documents=fill(row.documents, inputs, PADDING),
        decoder_input_ids=filled(row.decoder_input_ids, outputs, pad),
        decoder_documents=filled(row.decoder_documents, outputs, PADDING),
        segments=filled(row.segments, inputs, 0),
        prefix=filled(row.prefix, inputs, False),
    )


def _labels(rows: Sequence[Row]) -> Tensor | None:
    labels = [row.label for row in rows if row.label is not None]
    return torch.tensor(labels) if labels else None


def _stack(arrays: Sequence[Int[np.ndarray, "T"]]) -> Int[Tensor, "B T"]:
    return torch.from_numpy(np.stack(arrays))


def _stack_documents(arrays: Sequence[Int[np.ndarray, "T"]]) -> Int[Tensor, "B T"] | None:
    documents = np.stack(arrays)
    return None if (documents == 1).all() else torch.from_numpy(documents)
