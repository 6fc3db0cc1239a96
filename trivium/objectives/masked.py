"""The masked objective: say hidden tokens from both sides (Devlin et al. 2019, section 3.1 and appendix A.1).

Of a piece of n tokens, [CLS] and [SEP] included, exactly min(max_predictions, max(1, round(0.15 n))) are chosen, never
a special one. A chosen token becomes [MASK] with probability 0.8, a uniformly random id with 0.1, and stays with 0.1.
The loss is taken over the chosen tokens only.

- Static masks: the data exist in 10 copies with masks of their own, made once (Devlin et al.). Dynamic masks: every
  epoch draws new ones (Liu et al. 2019, section 4.1). Which of the two is decided by the key of the generator that
  `row` is given; the loader reads `variants` for that.
- Whole words: all pieces of a chosen word are chosen, with the same total; each still becomes [MASK], random or itself
  on its own (the authors' release of May 2019).

Letters: n tokens of a row before padding, T positions of a row, V ids of the vocabulary.
"""

__all__ = ["Masked"]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Int

from trivium.errors import UsageError
from trivium.objectives.batch import IGNORE, PADDING
from trivium.objectives.choice import choose
from trivium.objectives.row import Piece, Row
from trivium.objectives.vocabulary import Vocabulary, required


@dataclass(frozen=True, eq=False)
class Masked:
    """Masked language modelling over rows of `length` tokens: [CLS] piece [SEP], and so on for each piece.

    `word_starts` (which ids begin a word) switches to whole words. `duplicates` is the number of copies with masks of
    their own that static masks have. Probabilities and lengths out of range raise `UsageError`.
    """

    length: int
    begin: int
    end: int
    mask: int
    pad: int
    vocabulary: int
    special_ids: frozenset[int]
    word_starts: Bool[np.ndarray, "V"] | None = None
    probability: float = 0.15
    mask_share: float = 0.8
    random_share: float = 0.1
    max_predictions: int | None = None
    masks: Literal["dynamic", "static"] = "dynamic"
    duplicates: int = 10

    overlap: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.length < 3:
            raise UsageError(
                f"The masked objective needs rows of at least 3 tokens, not {self.length}: raise the length."
            )
        if not 0 < self.probability <= 1:
            raise UsageError(f"The masking probability must lie in (0, 1], not be {self.probability}. BERT's is 0.15.")
        if min(self.mask_share, self.random_share) < 0 or self.mask_share + self.random_share > 1:
            raise UsageError(
                f"The shares of [MASK] ({self.mask_share}) and of random tokens ({self.random_share}) must be at least "
                "0 and sum to at most 1; the rest stays as it is. BERT's are 0.8 and 0.1."
            )
        if self.max_predictions is not None and self.max_predictions < 1:
            raise UsageError(f"max_predictions must be at least 1, or be left out, not be {self.max_predictions}.")
        if self.masks not in ("dynamic", "static") or self.duplicates < 1:
            raise UsageError(
                f"Masks are 'dynamic' or 'static', the latter with at least 1 duplicate, not '{self.masks}' with "
                f"{self.duplicates}."
            )

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        length: int,
        *,
        whole_word: bool = False,
        masks: Literal["dynamic", "static"] = "dynamic",
        probability: float = 0.15,
        max_predictions: int | None = None,
    ) -> "Masked":
        """The objective over a tokenizer's ids."""
        return cls(
            length=length,
            begin=required(vocabulary.begin_id, "a begin token ([CLS])", "masked"),
            end=required(vocabulary.end_id, "an end token ([SEP])", "masked"),
            mask=required(vocabulary.mask_id, "a mask token", "masked"),
            pad=required(vocabulary.pad_id, "a padding token", "masked"),
            vocabulary=vocabulary.vocabulary,
            special_ids=vocabulary.special_ids,
            word_starts=vocabulary.word_starts if whole_word else None,
            probability=probability,
            max_predictions=max_predictions,
            masks=masks,
        )

    @property
    def capacity(self) -> tuple[int]:
        """(length,)."""
        return (self.length,)

    @property
    def variants(self) -> int | None:
        """`duplicates` where masks are static."""
        return self.duplicates if self.masks == "static" else None

    def lengths(self, tokens: int, first: bool, last: bool) -> tuple[int]:
        """[CLS] and [SEP] around each piece."""
        del first, last
        return (tokens + 2,)

    def predictions(self, tokens: Int[np.ndarray, "p"]) -> Int[np.ndarray, "p"]:
        """How many tokens are chosen of pieces of so many tokens, [CLS] and [SEP] included."""
        counts = np.maximum(1, np.rint(self.probability * tokens).astype(np.int64))
        return counts if self.max_predictions is None else np.minimum(self.max_predictions, counts)

    def row(self, pieces: Sequence[Piece], rng: np.random.Generator) -> Row:
        """Inputs with hidden tokens, targets at those only."""
        begin, end = np.array([self.begin]), np.array([self.end])
        ids = np.concatenate([part for p in pieces for part in (begin, p.tokens, end)], dtype=np.int64)
        return self.hide(ids, np.repeat(np.arange(len(pieces)), [len(p.tokens) + 2 for p in pieces]), rng)

    def hide(self, ids: Int[np.ndarray, "n"], piece: Int[np.ndarray, "n"], rng: np.random.Generator) -> Row:
        """The row of ids that stand in their places, special ones included; `piece` numbers each one's piece from 0."""
        used, sizes = len(ids), np.bincount(piece)
        assert used <= self.length, "the pieces do not fit the row"
        candidates = np.flatnonzero(~self._special[ids])
        counts = self.predictions(sizes)
        if self.word_starts is None:
            chosen = candidates[choose(piece[candidates], counts, rng)]
        else:
            chosen = self._choose_words(ids, piece, candidates, counts, rng)
        input_ids = np.full(self.length, self.pad)
        targets = np.full(self.length, IGNORE)
        documents = np.full(self.length, PADDING)
        targets[chosen] = ids[chosen]
        input_ids[:used] = self._hide(ids, chosen, rng)
        documents[:used] = piece + 1
        return Row(input_ids, targets, documents)

    def _hide(
        self, ids: Int[np.ndarray, "n"], chosen: Int[np.ndarray, "m"], rng: np.random.Generator
    ) -> Int[np.ndarray, "n"]:
        """80 % [MASK], 10 % random, 10 % as it is."""
        draw = rng.random(len(chosen))
        words = rng.integers(self.vocabulary, size=len(chosen))
        hidden = ids.copy()
        hidden[chosen] = np.where(
            draw < self.mask_share, self.mask, np.where(draw < self.mask_share + self.random_share, words, ids[chosen])
        )
        return hidden

    def _choose_words(
        self,
        ids: Int[np.ndarray, "n"],
        piece: Int[np.ndarray, "n"],
        candidates: Int[np.ndarray, "c"],
        counts: Int[np.ndarray, "p"],
        rng: np.random.Generator,
    ) -> Int[np.ndarray, "m"]:
        """Words in random order, each taken whole if it does not exceed the count; at least the shortest of a piece."""
        assert self.word_starts is not None
        # A special token ends a word, and so does the edge of a piece (which is special: [CLS]).
        after_special = np.diff(candidates, prepend=-2) > 1
        starts = self.word_starts[ids[candidates]] | after_special
        word = np.cumsum(starts) - 1
        sizes = np.bincount(word)
        piece_of_word = piece[candidates[starts]]
        order = rng.permutation(len(sizes))
        taken = np.zeros(len(sizes), dtype=bool)
        left, open_places = counts.tolist(), int(counts.sum())
        for w, size, p in zip(order.tolist(), sizes[order].tolist(), piece_of_word[order].tolist(), strict=True):
            if size <= left[p]:
                left[p] -= size
                taken[w] = True
                open_places -= size
                if not open_places:
                    break
        without = np.flatnonzero((counts == left) & (np.bincount(piece_of_word, minlength=len(counts)) > 0))
        for p in without:
            words = np.flatnonzero(piece_of_word == p)
            taken[words[np.argmin(sizes[words])]] = True
        return np.compress(taken[word], candidates)

    @cached_property
    def _special(self) -> Bool[np.ndarray, "V"]:
        table = np.zeros(self.vocabulary, dtype=bool)
        table[sorted(self.special_ids | {self.begin, self.end, self.mask, self.pad})] = True
        return table
