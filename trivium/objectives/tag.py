"""A label a word, asked at the word's first piece (Devlin et al. 2019, section 5.3).

    tokens     [CLS]  Ada  Love  ##lace  met  [SEP]
    first of      ·    0     1      ·      2     ·       the word whose first piece it is
    targets       ·  B-PER I-PER    ·      O     ·       · is IGNORE

Letters: T tokens, w words.
"""

__all__ = ["tag_row"]

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from trivium.objectives.batch import IGNORE
from trivium.objectives.row import Row


def tag_row(
    ids: Int[np.ndarray, "T"],
    segments: Int[np.ndarray, "T"] | None,
    firsts: Sequence[int | None],
    labels: Int[np.ndarray, "w"],
) -> Row:
    """The row of a sentence, unpadded: `labels[i]` is asked at the token `firsts[i]`, nothing elsewhere.

    A word without a first piece (it was cut off, or the tokenizer makes nothing of it) and one whose label is IGNORE
    are asked nothing.
    """
    targets = np.full(len(ids), IGNORE, dtype=np.int64)
    for first, label in zip(firsts, labels.tolist(), strict=True):
        if first is not None:
            targets[first] = label
    return Row(ids, targets, np.ones_like(ids), segments=segments)
