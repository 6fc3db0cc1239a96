"""UL2: a mixture of denoisers, each piece by one of them (Tay et al. 2022, section 3.1 and table 1).

    R  regular     spans of 3 or 8 tokens, 15 % of the text
    S  sequential  the last quarter of the text in one span: a prefix language model
    X  extreme     spans of 3, 8 or 64 tokens, 50 % of the text, or of 64 tokens, 15 %

All seven are span corruption (see `Span`); which of them a piece gets is drawn, by default evenly. The inputs begin
with the mode's token, R, S or X: three sentinels from the end of the tokenizer's list, where the rows leave as many
unused; where they do not there are no mode tokens.

Letters: T positions of the inputs, U positions of the targets.
"""

__all__ = ["UL2", "Denoiser", "Mode"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Literal

import numpy as np
from jaxtyping import Int

from trivium.errors import UsageError
from trivium.objectives.batch import PADDING
from trivium.objectives.pair import pair_of_pieces
from trivium.objectives.row import Piece, Row
from trivium.objectives.span import Span, noise_and_spans
from trivium.objectives.vocabulary import Vocabulary, required

Mode = Literal["R", "S", "X"]
_MODES: Final[tuple[Mode, ...]] = ("R", "S", "X")


@dataclass(frozen=True)
class Denoiser:
    """Span corruption of `density` of the text in spans of `mean_span` tokens (infinite: one span), and its mode."""

    mode: Mode
    mean_span: float
    density: float

    def lengths(self, tokens: int) -> tuple[int, int]:
        """Inputs and targets of so many tokens, without the mode's token."""
        noise, spans = noise_and_spans(tokens, self.density, self.mean_span)
        return tokens - noise + spans + 1, noise + spans + 1


#: Table 1 of the paper.
_DENOISERS: Final = (
    Denoiser("R", 3.0, 0.15),
    Denoiser("R", 8.0, 0.15),
    Denoiser("S", math.inf, 0.25),
    Denoiser("X", 3.0, 0.5),
    Denoiser("X", 8.0, 0.5),
    Denoiser("X", 64.0, 0.15),
    Denoiser("X", 64.0, 0.5),
)
#: Shares of the modes: each denoiser alike (UL2), or half of them sequential (UL2R).
_SHARES: Final[dict[str, dict[Mode, float]]] = {
    "ul2": {"R": 2 / 7, "S": 1 / 7, "X": 4 / 7},
    "ul2r": {"R": 0.25, "S": 0.5, "X": 0.25},
}


@dataclass(frozen=True)
class UL2:
    """The mixture over rows of `inputs` and `targets` positions. `shares` are those of `denoisers` and sum to 1.

    `modes` are the ids of R, S and X, or None. `start` opens the decoder (T5: the padding id). Fewer sentinels than a
    piece can need raise `UsageError`.
    """

    inputs: int
    targets: int
    sentinels: tuple[int, ...]
    modes: tuple[int, int, int] | None
    end: int
    pad: int
    start: int
    denoisers: tuple[Denoiser, ...] = _DENOISERS
    shares: tuple[float, ...] = (1 / 7,) * 7

    overlap: ClassVar[int] = 0
    variants: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        if self.inputs < 4 or self.targets < 3:
            raise UsageError(
                f"UL2 needs rows of at least 4 inputs and 3 targets, not {self.inputs} and {self.targets}: raise the "
                "length."
            )
        needed = _spans_needed(self.inputs, self.targets, self.denoisers, self.modes is not None)
        if needed > len(self.sentinels):
            raise UsageError(
                f"Rows of {self.inputs} inputs can hold a document with {needed} spans under UL2, but the tokenizer "
                f"has {len(self.sentinels)} sentinels for them. Train the tokenizer with {needed}, or shorten the rows."
            )

    @classmethod
    def of(cls, vocabulary: Vocabulary, length: int, *, mixture: str = "ul2") -> "UL2":
        """The objective over a tokenizer's ids, for rows of `length` inputs and as many targets as go with them."""
        if mixture not in _SHARES:
            raise UsageError(f"UL2 has the mixtures {' and '.join(_SHARES)}, not '{mixture}'.")
        pad, end = required(vocabulary.pad_id, "a padding token", "ul2"), required(vocabulary.end_id, "an end", "ul2")
        sentinels = tuple(vocabulary.sentinel_ids)
        required(sentinels[0] if sentinels else None, "sentinels (<extra_id_0>, ...)", "ul2")
        targets = _targets_of(length)
        spare = len(sentinels) - _spans_needed(length, targets, _DENOISERS, True) >= len(_MODES)
        modes = (sentinels[-1], sentinels[-2], sentinels[-3]) if spare else None
        counts = {mode: sum(each.mode == mode for each in _DENOISERS) for mode in _MODES}
        return cls(
            inputs=length,
            targets=targets,
            sentinels=sentinels[: -len(_MODES)] if spare else sentinels,
            modes=modes,
            end=end,
            pad=pad,
            start=pad,
            shares=tuple(_SHARES[mixture][each.mode] / counts[each.mode] for each in _DENOISERS),
        )

    @property
    def capacity(self) -> tuple[int, int]:
        """(inputs, targets)."""
        return (self.inputs, self.targets)

    def lengths(self, tokens: int, first: bool, last: bool) -> tuple[int, int]:
        """What the denoisers that take most of each side take, the mode's token included."""
        del first, last
        return _most(tokens, self.denoisers, self.modes is not None)

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """Both sides of the row; on each, a piece is a document of its own and the sentinels start anew."""
        drawn = rng.choice(len(self.denoisers), size=len(pieces), p=self.shares)
        shown, said = [], []
        for piece, which in zip(pieces, drawn.tolist(), strict=True):
            row = self._spans[which].row([piece], rng)
            assert row.decoder_documents is not None
            shown.append(
                np.append(np.array(self._mode(which), dtype=np.int64), row.input_ids[row.documents != PADDING])
            )
            said.append(row.targets[row.decoder_documents != PADDING])
        return pair_of_pieces(shown, said, capacity=self.capacity, pad=self.pad, start=self.start)

    def _mode(self, which: int) -> Int[np.ndarray, "_"]:
        mode = [] if self.modes is None else [self.modes[_MODES.index(self.denoisers[which].mode)]]
        return np.array(mode, dtype=np.int64)

    @cached_property
    def _spans(self) -> tuple[Span, ...]:
        # Each with room for the longest piece that all of them can have, so that none asks for more sentinels.
        tokens = _longest(self.inputs, self.targets, self.denoisers, self.modes is not None)
        return tuple(self._span(each, *each.lengths(tokens)) for each in self.denoisers)

    def _span(self, each: Denoiser, inputs: int, targets: int) -> Span:
        ids = (self.sentinels, self.end, self.pad, self.start)
        return Span(inputs, targets, *ids, density=each.density, mean_span=each.mean_span)


def _most(tokens: int, denoisers: Sequence[Denoiser], with_mode: bool) -> tuple[int, int]:
    inputs, targets = zip(*(each.lengths(tokens) for each in denoisers), strict=True)
    return max(inputs) + with_mode, max(targets)


def _longest(inputs: int, targets: int | None, denoisers: Sequence[Denoiser], with_mode: bool) -> int:
    """The most tokens that every denoiser makes fit so many inputs, and so many targets where that is given."""
    tokens = 1
    while True:
        most = _most(tokens + 1, denoisers, with_mode)
        if most[0] > inputs or (targets is not None and most[1] > targets):
            return tokens
        tokens += 1


def _targets_of(inputs: int) -> int:
    """The most targets that come with so many inputs: at least 3."""
    return max(3, _most(_longest(inputs, None, _DENOISERS, True), _DENOISERS, True)[1])


def _spans_needed(inputs: int, targets: int, denoisers: Sequence[Denoiser], with_mode: bool) -> int:
    """The most spans of one piece in rows of this size."""
    tokens = _longest(inputs, targets, denoisers, with_mode)
    return max(noise_and_spans(tokens, each.density, each.mean_span)[1] for each in denoisers)
