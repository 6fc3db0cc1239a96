"""Text to text: read one text, say another.

    encoder-decoder   reads  a b c END    decoder reads  START x y    targets      x y END
    decoder           reads  a b c x y                                targets  - - x y END

The loss is over what is said and its end, and never over what is read (Raffel et al. 2020, section 2.4). It is the loss
that `transformers` takes of `labels`, which it shifts to the right behind `decoder_start_token_id`.

Letters: t tokens that are read, u tokens that are said, the end among them.
"""

__all__ = ["answer_row", "continuation_row"]

import numpy as np
from jaxtyping import Int

from trivium.objectives.batch import IGNORE
from trivium.objectives.pair import pair_of_pieces
from trivium.objectives.row import Row


def answer_row(read: Int[np.ndarray, "t"], said: Int[np.ndarray, "u"], *, pad: int, start: int) -> Row:
    """The row of an encoder-decoder, t inputs and u targets: one document, not padded."""
    return pair_of_pieces([read], [said], capacity=(len(read), len(said)), pad=pad, start=start)


def continuation_row(read: Int[np.ndarray, "t"], said: Int[np.ndarray, "u"]) -> Row:
    """The row of a decoder, t + u - 1 positions: what it reads last says the first token of the rest."""
    assert len(read), "a decoder says nothing before it has read a token"
    whole = np.concatenate([read, said]).astype(np.int64)
    targets = whole[1:].copy()
    targets[: len(read) - 1] = IGNORE
    return Row(whole[:-1], targets, np.ones(len(targets), dtype=np.int64))
