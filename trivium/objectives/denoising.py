"""The denoising objective: say a text whose spans are hidden and whose sentences are shuffled (Lewis et al. 2020).

    document  A B C. D E.     shuffled  D E. A B C.     inputs  <s> D [MASK] A [MASK] C. </s>
                                                        targets <s> A B C. D E. </s>

Of n tokens, ceil(0.3 n) are hidden in spans whose lengths are drawn from a Poisson distribution (the last is cut to
the exact number); each span becomes one mask, and a span of length 0 puts a mask between two tokens. The decoder
starts with </s>, as BART's does. The sentences of a piece end at the ids that the vocabulary names.

- `paper`: Poisson(3), 30 % of the tokens, all sentences shuffled (section 2.2 and 3).
- `released`: what the authors say they ran for the published weights (their repository, issue 1899): Poisson(3.5), and
  one mask in ten is a random token instead.

Letters: n tokens of a piece, V ids of the vocabulary.
"""

__all__ = ["Denoising", "span_lengths"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from jaxtyping import Bool, Int

from trivium.errors import UsageError
from trivium.objectives.pair import pair_of_pieces
from trivium.objectives.row import Piece, Row
from trivium.objectives.vocabulary import Vocabulary, required

_RECIPES: Final[dict[str, dict[str, Any]]] = {
    "paper": {"mean_span": 3.0, "density": 0.3, "random_share": 0.0},
    "released": {"mean_span": 3.5, "density": 0.3, "random_share": 0.1},
}


def span_lengths(noise: int, mean_span: float, rng: np.random.Generator) -> Int[np.ndarray, "s"]:
    """Poisson lengths that hide exactly `noise` tokens: drawn until their sum reaches it, the last one cut to it.

    There are never more than `noise` of them, so that no text grows: spans of length 0 beyond that are left out, the
    last first.
    """
    lengths = rng.poisson(mean_span, size=noise)
    while lengths.sum() < noise:
        lengths = np.concatenate([lengths, rng.poisson(mean_span, size=noise)])
    total = np.cumsum(lengths)
    count = int(np.searchsorted(total, noise)) + 1 if noise else 0
    lengths = lengths[:count]
    if count:
        lengths[-1] -= total[count - 1] - noise
    empty = np.flatnonzero(lengths == 0)
    return np.delete(lengths, empty[len(empty) - max(0, count - noise) :])


@dataclass(frozen=True, eq=False)
class Denoising:
    """Text infilling and sentence permutation over rows of `length` inputs and as many targets.

    `sentence_ends` says which ids end a sentence; None leaves the sentences in their order. Numbers out of range raise
    `UsageError`.
    """

    length: int
    begin: int
    end: int
    mask: int
    pad: int
    vocabulary: int
    sentence_ends: Bool[np.ndarray, "V"] | None
    density: float = 0.3
    mean_span: float = 3.0
    random_share: float = 0.0

    overlap: ClassVar[int] = 0
    variants: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        if self.length < 3:
            raise UsageError(
                f"The denoising objective needs rows of at least 3 tokens, not {self.length}: raise the length."
            )
        if not 0 < self.density < 1 or self.mean_span <= 0 or not 0 <= self.random_share <= 1:
            raise UsageError(
                "Denoising needs a density in (0, 1), a mean span above 0 and a share of random tokens in [0, 1], not "
                f"{self.density}, {self.mean_span} and {self.random_share}. BART's paper has 0.3, 3 and 0."
            )

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        length: int,
        *,
        recipe: str = "paper",
        permute_sentences: bool = True,
        **numbers: float,
    ) -> "Denoising":
        """The objective over a tokenizer's ids: a recipe, and numbers (`density`, ...) that replace some of its own."""
        if recipe not in _RECIPES or not numbers.keys() <= _RECIPES["paper"].keys():
            raise UsageError(
                f"Denoising has the recipes {' and '.join(_RECIPES)} and the numbers {', '.join(_RECIPES['paper'])}, "
                f"not '{recipe}' with {', '.join(numbers) or 'none'}."
            )
        return cls(
            length=length,
            begin=required(vocabulary.begin_id, "a begin token (<s>)", "denoising"),
            end=required(vocabulary.end_id, "an end token (</s>)", "denoising"),
            mask=required(vocabulary.mask_id, "a mask token", "denoising"),
            pad=required(vocabulary.pad_id, "a padding token", "denoising"),
            vocabulary=vocabulary.vocabulary,
            sentence_ends=vocabulary.sentence_ends if permute_sentences else None,
            **{**_RECIPES[recipe], **numbers},
        )

    @property
    def start(self) -> int:
        """What opens the decoder: the end token."""
        return self.end

    @property
    def capacity(self) -> tuple[int, int]:
        """(inputs, targets)."""
        return (self.length, self.length)

    def lengths(self, tokens: int, first: bool, last: bool) -> tuple[int, int]:
        """Targets: the text, begin and end. Inputs: that at most, as hidden spans are shorter than their text."""
        del first, last
        return tokens + 2, tokens + 2

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """Both sides of the row; on each, a piece is a document of its own."""
        begin, end = np.array([self.begin]), np.array([self.end])
        shown = [np.concatenate([begin, self._hide(self._shuffle(p.tokens, rng), rng), end]) for p in pieces]
        said = [np.concatenate([begin, p.tokens, end]) for p in pieces]
        return pair_of_pieces(shown, said, capacity=self.capacity, pad=self.pad, start=self.start)

    def _shuffle(self, tokens: Int[np.ndarray, "n"], rng: np.random.Generator) -> Int[np.ndarray, "n"]:
        """The sentences in random order. Of marks that follow each other ("?!") the last ends the sentence."""
        if self.sentence_ends is None:
            return tokens
        ends = self.sentence_ends[tokens]
        sentences = np.split(tokens, np.flatnonzero(ends[:-1] & ~ends[1:]) + 1)
        return np.concatenate([sentences[place] for place in rng.permutation(len(sentences))])

    def _hide(self, tokens: Int[np.ndarray, "n"], rng: np.random.Generator) -> Int[np.ndarray, "m"]:
        """Spans of exact total length at random places, none next to another while there are tokens to part them."""
        noise = math.ceil(self.density * len(tokens))
        lengths = rng.permutation(span_lengths(noise, self.mean_span, rng))
        spans, kept = len(lengths), len(tokens) - noise
        # Of the kept tokens and the spans in a row, which ones are spans: all ways are equally likely.
        is_span = np.zeros(kept + spans, dtype=bool)
        is_span[rng.choice(kept + spans, size=spans, replace=False)] = True
        sizes = np.ones(kept + spans, dtype=np.int64)
        sizes[is_span] = lengths
        begins = np.cumsum(sizes) - sizes
        hidden = np.full(kept + spans, self.mask)
        hidden[~is_span] = tokens[begins[~is_span]]
        random = is_span & (rng.random(kept + spans) < self.random_share)
        hidden[random] = rng.integers(self.vocabulary, size=int(random.sum()))
        return hidden
