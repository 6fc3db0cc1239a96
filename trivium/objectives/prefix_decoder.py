"""The prefix objective of a decoder alone: its prefix is read from both sides, the rest is said from left to right.

    document  a b c d e      inputs  START a b c d e      targets  - - c d e END      prefix  * * * - - -

This is the non-causal decoder of Wang et al. 2022 (section 2.1), the "prefix LM" of Raffel et al. 2020. Rows are as the
causal objective has them; where the prefix ends is drawn anew each time, all places being equally likely, so that half
of the tokens are asked for on average. Of a piece of fewer than two tokens the prefix is empty. A folder does not say
that a decoder was trained so: generation reads its prompts causally, here and elsewhere.

Letters: T positions of a row.
"""

__all__ = ["PrefixDecoder"]

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trivium.objectives.batch import IGNORE
from trivium.objectives.causal import Causal
from trivium.objectives.row import Piece, Row


@dataclass(frozen=True)
class PrefixDecoder(Causal):
    """Prefix language modelling over rows of `length` tokens. A length below 3 raises `UsageError`."""

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """The causal row without targets in each piece's prefix, whose last token says the first one behind it."""
        causal = super().row(pieces, rng)
        targets, prefix = causal.targets.copy(), np.zeros(self.length, dtype=bool)
        begin = 0
        for piece in pieces:
            size = len(piece.tokens) + piece.first + piece.last - 1  # positions that it takes
            cut = int(rng.integers(1, size)) if size > 1 else 0
            prefix[begin : begin + cut] = True
            targets[begin : begin + max(0, cut - 1)] = IGNORE
            begin += size
        return replace(causal, targets=targets, prefix=prefix)
