"""Span corruption: say the spans that were cut out of the input (Raffel et al. 2020, section 3.1.4 and figure 2).

    document  a b c d e f g h          inputs  a b <0> e f g <1> EOS
    noise         c d       h          targets <0> c d <1> h EOS

Of L tokens, noise = round(0.15 L) are cut out, at least 1 and at most L - 1, in max(1, round(noise / 3)) spans. Kept
and noise tokens are each cut at random into as many spans, all ways being equally likely; they alternate, a kept span
first and a noise span last (`random_spans_noise_mask` of the authors' code). Each noise span is one sentinel in the
inputs and stands behind the same sentinel in the targets; both sides end in EOS. The figure shows one more sentinel at
the end of the targets, which the authors' code does not write.

Letters: L tokens of a piece, p pieces, T positions of the inputs, U positions of the targets.
"""

__all__ = ["Span", "noise_and_spans", "raw_length"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from trivium.errors import UsageError
from trivium.objectives.choice import choose
from trivium.objectives.pair import pair_row
from trivium.objectives.row import Piece, Row
from trivium.objectives.vocabulary import Vocabulary, required


def noise_and_spans(tokens: int, density: float = 0.15, mean_span: float = 3.0) -> tuple[int, int]:
    """How many of so many tokens are cut out, and in how many spans. A single token is kept: (0, 0)."""
    noise = min(max(round(density * tokens), 1), tokens - 1)
    if noise < 1:
        return 0, 0
    # There are as many kept spans, and each holds a token.
    return noise, min(max(1, round(noise / mean_span)), tokens - noise)


def raw_length(inputs: int, density: float = 0.15, mean_span: float = 3.0) -> tuple[int, int]:
    """The most tokens that become at most `inputs` positions, and the positions of their targets, EOS included.

    512 inputs come from 568 tokens and have 114 targets (Raffel et al. 2020: `random_spans_helper`). Numbers that make
    no sense raise `UsageError`.
    """
    if not 0 < density < 1 or mean_span < 1:
        raise UsageError(
            f"Span corruption needs a density in (0, 1) and a mean span of at least 1 token, not {density} and "
            f"{mean_span}. T5's are 0.15 and 3."
        )
    if inputs < 2:
        raise UsageError(f"Span corruption needs rows of at least 2 inputs (a token and its end), not {inputs}.")
    tokens, targets = 1, 1
    while True:
        noise, spans = noise_and_spans(tokens + 1, density, mean_span)
        if tokens + 1 - noise + spans + 1 > inputs:
            return tokens, targets
        tokens, targets = tokens + 1, noise + spans + 1


@dataclass(frozen=True)
class Span:
    """Span corruption over rows of `inputs` and `targets` positions.

    `sentinels` are the markers in the order of their use; each piece of a row starts with the first. `start` opens the
    decoder (T5: the padding id). Fewer sentinels than a piece can need, or numbers out of range, raise `UsageError`.
    """

    inputs: int
    targets: int
    sentinels: tuple[int, ...]
    end: int
    pad: int
    start: int
    density: float = 0.15
    mean_span: float = 3.0

    overlap: ClassVar[int] = 0
    variants: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        tokens, targets = raw_length(self.inputs, self.density, self.mean_span)
        if self.targets < 3:
            raise UsageError(
                f"Span corruption needs at least 3 targets (sentinel, token, end), not {self.targets}; {self.inputs} "
                f"inputs go with {targets}."
            )
        spans = min(noise_and_spans(tokens, self.density, self.mean_span)[1], self.targets // 2)
        if spans > len(self.sentinels):
            raise UsageError(
                f"Rows of {self.inputs} inputs can hold a document of {tokens:,} tokens with {spans} spans, but the "
                f"tokenizer has {len(self.sentinels)} sentinels. Train the tokenizer with {spans} sentinels, shorten "
                "the rows, or raise the mean span."
            )

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        length: int,
        *,
        targets: int | None = None,
        density: float = 0.15,
        mean_span: float = 3.0,
    ) -> "Span":
        """The objective over a tokenizer's ids: `length` inputs, and as many targets as one document of them has."""
        pad = required(vocabulary.pad_id, "a padding token", "span")
        if not vocabulary.sentinel_ids:
            required(None, "sentinels", "span")
        return cls(
            inputs=length,
            targets=raw_length(length, density, mean_span)[1] if targets is None else targets,
            sentinels=tuple(vocabulary.sentinel_ids),
            end=required(vocabulary.end_id, "an end token", "span"),
            pad=pad,
            start=pad,
            density=density,
            mean_span=mean_span,
        )

    @property
    def capacity(self) -> tuple[int, int]:
        """(inputs, targets)."""
        return (self.inputs, self.targets)

    def lengths(self, tokens: int, first: bool, last: bool) -> tuple[int, int]:
        """Inputs: kept tokens, sentinels, end. Targets: noise, sentinels, end."""
        del first, last
        noise, spans = noise_and_spans(tokens, self.density, self.mean_span)
        return tokens - noise + spans + 1, noise + spans + 1

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """Both sides of the row; on each, a piece is a document of its own and the sentinels start anew."""
        tokens = np.array([len(p.tokens) for p in pieces])
        noise, spans = np.array([noise_and_spans(n, self.density, self.mean_span) for n in tokens.tolist()]).T
        begins, stops = _noise_spans(tokens, noise, spans, rng)
        end = np.array([self.end])
        ids = np.concatenate([part for p in pieces for part in (p.tokens, end)], dtype=np.int64)
        piece = np.repeat(np.arange(1, len(pieces) + 1), tokens + 1)
        # The number of each span in its piece, and so its sentinel.
        number = np.arange(len(begins)) - np.repeat(np.cumsum(spans) - spans, spans)
        marks = np.array(self.sentinels)[number]

        edges = np.zeros(len(ids), dtype=np.int8)
        edges[begins], edges[stops] = 1, -1
        said = np.cumsum(edges).astype(bool)
        shown = ~said
        shown[begins] = True  # the first token of a span gives its place to the sentinel in the inputs,
        said[begins - 1] = True  # and the kept token before it (there always is one) in the targets
        said[np.cumsum(tokens + 1) - 1] = True
        inputs, targets = ids.copy(), ids
        inputs[begins] = marks
        targets[begins - 1] = marks
        sides = (inputs[shown], piece[shown], targets[said], piece[said])
        return pair_row(*sides, capacity=self.capacity, pad=self.pad, start=self.start)


def _noise_spans(
    tokens: Int[np.ndarray, "p"], noise: Int[np.ndarray, "p"], spans: Int[np.ndarray, "p"], rng: np.random.Generator
) -> tuple[Int[np.ndarray, "s"], Int[np.ndarray, "s"]]:
    """Where the noise spans of the pieces begin and stop, in a row that has one place for the end behind each piece."""
    silent = spans == 0  # a piece without noise has no spans, and stands between those of its neighbours
    parts = np.concatenate([noise, np.where(silent, 0, tokens - noise)])
    part = np.repeat(np.arange(len(parts)), parts)
    begins = np.flatnonzero(choose(part, np.concatenate([spans, spans]), rng, with_first=True))
    lengths = np.concatenate([begins[1:], [len(part)]]) - begins
    noise_lengths, kept_lengths = lengths[: len(lengths) // 2], lengths[len(lengths) // 2 :]
    before = np.arange(len(tokens)) + np.cumsum(tokens * silent)
    stops = np.cumsum(kept_lengths + noise_lengths) + np.repeat(before, spans)
    return stops - noise_lengths, stops
