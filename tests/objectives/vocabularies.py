"""A small vocabulary that has every special token, and documents of it: what the tests of objectives share."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from trivium.objectives.causal import Causal
from trivium.objectives.denoising import Denoising
from trivium.objectives.masked import Masked
from trivium.objectives.prefix import Prefix
from trivium.objectives.row import Objective, Piece
from trivium.objectives.span import Span
from trivium.objectives.ul2 import UL2

FIRST_WORD, SIZE, SENTINELS = 10, 400, 100
SENTENCE_ENDS = tuple(range(FIRST_WORD, 300, 10))


@dataclass(frozen=True)
class Special:
    """Ids 0 to 9 are special, 10 to 299 are words (odd ones go on with a word), 300 to 399 sentinels, highest first.

    Of the words 10, 20, 30, ... 290 end a sentence.
    """

    vocabulary: int = SIZE
    pad_id: int | None = 0
    begin_id: int | None = 1
    end_id: int | None = 2
    mask_id: int | None = 3
    sentinel_ids: tuple[int, ...] = tuple(range(SIZE - 1, SIZE - 1 - SENTINELS, -1))
    special_ids: frozenset[int] = frozenset(range(FIRST_WORD)) | frozenset(range(SIZE - SENTINELS, SIZE))
    word_starts: np.ndarray = field(default_factory=lambda: np.arange(SIZE) % 2 == 0)
    sentence_ends: np.ndarray = field(default_factory=lambda: np.isin(np.arange(SIZE), SENTENCE_ENDS))


VOCABULARY = Special()


def objectives(length: int) -> list[Objective]:
    """Every objective over rows of this length."""
    return [
        Causal.of(VOCABULARY, length),
        Masked.of(VOCABULARY, length),
        Masked.of(VOCABULARY, length, whole_word=True, masks="static"),
        Span.of(VOCABULARY, length),
        Span.of(VOCABULARY, length, targets=max(3, length // 2), density=0.3, mean_span=3.0),
        Prefix.of(VOCABULARY, length),
        Denoising.of(VOCABULARY, length, recipe="released"),
        UL2.of(VOCABULARY, max(4, length)),
    ]


def document(tokens: int, seed: int = 0) -> np.ndarray:
    """Random words."""
    return np.random.default_rng(seed).integers(FIRST_WORD, SIZE - SENTINELS, size=tokens)


@st.composite
def piece_lists(draw: st.DrawFn, most: int = 6, longest: int = 60) -> list[Piece]:
    """Pieces of documents, of one token and more."""
    sizes = draw(st.lists(st.integers(1, longest), min_size=1, max_size=most))
    flags = st.booleans()
    return [Piece(document(size, seed=n), first=draw(flags), last=draw(flags)) for n, size in enumerate(sizes)]


def room_for(objective: Objective, pieces: list[Piece]) -> tuple[int, ...]:
    """What the pieces take of each capacity."""
    return tuple(np.sum([objective.lengths(len(p.tokens), p.first, p.last) for p in pieces], axis=0).tolist())
