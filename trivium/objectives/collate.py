"""Rows become a batch: numpy below, torch above."""

__all__ = ["collate"]

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from trivium.objectives.batch import Batch
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
        labels=torch.tensor([row.label for row in rows if row.label is not None])
        if rows[0].label is not None
        else None,
        prefix=torch.from_numpy(np.stack([row.prefix for row in rows if row.prefix is not None]))
        if rows[0].prefix is not None
        else None,
    )


def _stack(arrays: Sequence[Int[np.ndarray, "T"]]) -> Int[Tensor, "B T"]:
    return torch.from_numpy(np.stack(arrays))


def _stack_documents(arrays: Sequence[Int[np.ndarray, "T"]]) -> Int[Tensor, "B T"] | None:
    documents = np.stack(arrays)
    return None if (documents == 1).all() else torch.from_numpy(documents)
