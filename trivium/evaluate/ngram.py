"""The unigram and the bigram: what counting alone reaches on the same tokens.

The bigram is interpolated with the unigram after Witten & Bell (1991; Chen & Goodman 1998, section 2.6), a
good smoothing for little text, so that it is no straw man:

    p(w | h) = (count(h w) + followers(h) · p(w)) / (count(h) + followers(h))

where followers(h) is the number of different tokens seen after h, and p(w) is the unigram with one added to each count.

Letters: m pairs, V vocabulary.
"""

__all__ = ["Bigram", "NGramScore"]

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class NGramScore:
    """Mean loss in nats a token (the end of a document counts as one), and bits per byte of the text."""

    loss: float
    bits_per_byte: float
    tokens: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


class Bigram:
    """Counts of pairs over documents that begin with `begin_id` and end with `end_id`, as a causal model reads them."""

    def __init__(self, documents: Iterable[Int[np.ndarray, "_"]], vocabulary: int, begin_id: int, end_id: int) -> None:
        self.vocabulary, self.begin_id, self.end_id = vocabulary, begin_id, end_id
        pairs = np.concatenate([np.zeros(0, dtype=np.int64), *self._pairs(documents)])
        self._keys, self._counts = np.unique(pairs, return_counts=True)
        before, after = np.divmod(self._keys, vocabulary)
        self._total = np.bincount(before, weights=self._counts, minlength=vocabulary)
        self._followers = np.bincount(before, minlength=vocabulary)
        self.token_counts = np.bincount(after, weights=self._counts, minlength=vocabulary)
        self._unigram: Float[np.ndarray, "V"] = (self.token_counts + 1) / (self.token_counts.sum() + vocabulary)

    def score(self, documents: Iterable[Int[np.ndarray, "_"]], text_bytes: int) -> NGramScore:
        """The bigram's loss on other documents, of `text_bytes` UTF-8 bytes together."""
        nats, tokens = 0.0, 0
        for pairs in self._pairs(documents):
            nats -= float(np.log(self._probability(pairs)).sum())
            tokens += len(pairs)
        return NGramScore(nats / max(1, tokens), nats / math.log(2) / max(1, text_bytes), tokens)

    def commonest(self, text_ids: Iterable[int]) -> int:
        """The commonest of the given ids in the text that was counted."""
        ids = np.fromiter(text_ids, dtype=np.int64)
        return int(ids[np.argmax(self.token_counts[ids])])

    def _probability(self, pairs: Int[np.ndarray, "m"]) -> Float[np.ndarray, "m"]:
        before, after = np.divmod(pairs, self.vocabulary)
        place = np.minimum(np.searchsorted(self._keys, pairs), max(0, len(self._keys) - 1))
        count = np.where(self._keys[place] == pairs, self._counts[place], 0) if len(self._keys) else 0.0
        followers, unigram = self._followers[before], self._unigram[after]
        denominator = self._total[before] + followers
        seen = denominator > 0
        mixed = (count + followers * unigram) / np.where(seen, denominator, 1)
        return np.asarray(np.where(seen, mixed, unigram), dtype=np.float64)

    def _pairs(self, documents: Iterable[Int[np.ndarray, "_"]]) -> Iterator[Int[np.ndarray, "m"]]:
        for document in documents:
            ids = np.concatenate([[self.begin_id], document, [self.end_id]]).astype(np.int64)
            yield ids[:-1] * self.vocabulary + ids[1:]
