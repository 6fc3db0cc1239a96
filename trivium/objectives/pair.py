"""A row of an encoder-decoder from its two sides: padded, and the targets shifted into what the decoder reads.

Letters: t used positions of the inputs, u used positions of the targets, T and U all positions of a row.
"""

__all__ = ["pair_of_pieces", "pair_row"]

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from trivium.objectives.batch import IGNORE, PADDING
from trivium.objectives.row import Row


def pair_row(
    shown: Int[np.ndarray, "t"],
    shown_pieces: Int[np.ndarray, "t"],
    said: Int[np.ndarray, "u"],
    said_pieces: Int[np.ndarray, "u"],
    *,
    capacity: tuple[int, int],
    pad: int,
    start: int,
) -> Row:
    """The row of T = capacity[0] inputs and U = capacity[1] targets; `_pieces` number each position's piece from 1.

    The decoder reads what it has said so far, from the token `start` of each piece on.
    """
    (inputs, outputs), t, u = capacity, len(shown), len(said)
    assert t <= inputs, "the pieces do not fit the inputs of the row"
    assert u <= outputs, "the pieces do not fit the targets of the row"
    input_ids, documents = np.full(inputs, pad), np.full(inputs, PADDING)
    input_ids[:t], documents[:t] = shown, shown_pieces
    targets, decoder_documents = np.full(outputs, IGNORE), np.full(outputs, PADDING)
    targets[:u], decoder_documents[:u] = said, said_pieces
    decoder_input_ids = np.full(outputs, pad)
    decoder_input_ids[1:u] = said[:-1]
    decoder_input_ids[:u][said_pieces != np.concatenate(([PADDING], said_pieces[:-1]))] = start
    return Row(input_ids, targets, documents, decoder_input_ids, decoder_documents)


def pair_of_pieces(
    shown: Sequence[Int[np.ndarray, "_"]],
    said: Sequence[Int[np.ndarray, "_"]],
    *,
    capacity: tuple[int, int],
    pad: int,
    start: int,
) -> Row:
    """The row of pieces that are given one by one: what is shown of each, and what is said."""
    numbers = np.arange(1, len(shown) + 1)
    return pair_row(
        np.concatenate(shown),
        np.repeat(numbers, [len(part) for part in shown]),
        np.concatenate(said),
        np.repeat(numbers, [len(part) for part in said]),
        capacity=capacity,
        pad=pad,
        start=start,
    )
