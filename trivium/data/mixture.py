"""A mixture of sources by token share: which window of which source comes at each place, and what that adds up to.

Window k of the mixture is a pure function of (seed, k). The places come in blocks of 256. Over the blocks each source
gets its exact share of windows (the largest remainder gets the place, and what is left over is carried on); inside a
block its j-th of n windows lies at (j + u) / n with one random u for each source, so that any stretch of the order
holds the shares to within a window or two. Shares are of tokens: a source whose windows are less full gets more of
them. The idea of exact, deterministic blocks is levanter's (`levanter/data/mixture.py`).

Letters: s sources.
"""

__all__ = ["Mixture", "MixtureSource"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from trivium.data.documents import Documents
from trivium.data.epochs import Epochs, Window
from trivium.data.mixture_table import MixtureTable, SourceShare
from trivium.errors import BudgetError, DataError, UsageError
from trivium.objectives.row import Objective

_BLOCK = 256
#: The source of each place of a block, and which window of that source it is.
_Block = tuple[Int[np.ndarray, "places"], Int[np.ndarray, "places"]]
_INTERLEAVE = 3  # the stream of random numbers, beside those of `epochs`


@dataclass(frozen=True, eq=False)
class MixtureSource:
    """A source of a mixture: its documents, its share of the tokens, and how often they may be read (None: no limit).

    Weights are relative: they are divided by their sum. A weight or limit that is not positive raises `UsageError`.
    """

    documents: Documents
    weight: float | int = 1.0
    max_epochs: float | int | None = None
    name: str = "data"

    def __post_init__(self) -> None:
        if not 0 < self.weight < float("inf"):
            raise UsageError(
                f"The weight of source '{self.name}' must be above 0, not {self.weight}: leave the source out."
            )
        if self.max_epochs is not None and self.max_epochs <= 0:
            raise UsageError(f"max_epochs of source '{self.name}' must be above 0, not {self.max_epochs}.")


class Mixture:
    """The windows of several sources in one endless order. A source without any token raises `DataError`."""

    def __init__(self, sources: Sequence[MixtureSource], objective: Objective, seed: int) -> None:
        if not sources:
            raise UsageError("A mixture needs at least one source.")
        if seed < 0:
            raise UsageError(f"The seed must be 0 or more, not {seed}.")
        for source in sources:
            if source.documents.tokens == 0:
                raise DataError(
                    f"Source '{source.name}' holds no token in {source.documents.documents:,} documents. Look at it "
                    "with `trivium data preview`, or leave it out of the mixture."
                )
        self.sources = tuple(sources)
        self.objective = objective
        self.seed = seed
        self.epochs = tuple(Epochs(s.documents, objective, seed, number) for number, s in enumerate(sources))
        weights = np.array([source.weight for source in sources], dtype=np.float64)
        self.shares = weights / weights.sum()
        self._window_tokens = np.array(
            [s.documents.tokens / e.windows(1) for s, e in zip(sources, self.epochs, strict=True)]
        )
        per_token = self.shares / self._window_tokens
        self._window_shares = per_token / per_token.sum()
        self._given = [np.zeros(len(sources), dtype=np.int64)]
        self._block: Callable[[int], _Block] = lru_cache(maxsize=4)(self._make_block)

    @property
    def tokens_per_window(self) -> float:
        """The tokens of a window, on average."""
        return float(self._window_shares @ self._window_tokens)

    def window(self, index: int) -> tuple[int, Window]:
        """The window at a place of the order, and the number of its source.

        A source that has no more windows within its `max_epochs` raises `BudgetError`.
        """
        block, place = divmod(index, _BLOCK)
        sources, ordinals = self._block(block)
        source, ordinal = int(sources[place]), int(ordinals[place])
        limit = self._limit(source)
        if limit is not None and ordinal >= limit:
            raise self._exhausted(index + 1)
        return source, self.epochs[source].window(ordinal)

    def plan(self, windows: int) -> MixtureTable:
        """What the first so many windows will hold: counted, not estimated.

        Sources that run out of their `max_epochs` before raise `BudgetError`.
        """
        counts = self._counts(windows)
        for source, count in enumerate(counts.tolist()):
            limit = self._limit(source)
            if limit is not None and count > limit:
                raise self._exhausted(windows)
        return self.consumed(windows)

    def consumed(self, windows: int) -> MixtureTable:
        """What the first so many windows hold."""
        read = [
            epochs.consumed(count) for epochs, count in zip(self.epochs, self._counts(windows).tolist(), strict=True)
        ]
        total = sum(part.tokens for part in read)
        return MixtureTable(
            tuple(
                SourceShare(
                    name=source.name,
                    documents=source.documents.documents,
                    tokens=source.documents.tokens,
                    share_asked=float(share),
                    share=part.tokens / total if total else 0.0,
                    windows=part.windows,
                    tokens_read=part.tokens,
                    documents_read=part.documents,
                    epochs=part.epochs,
                    max_epochs=source.max_epochs,
                )
                for source, share, part in zip(self.sources, self.shares, read, strict=True)
            )
        )

    def _limit(self, source: int) -> int | None:
        most = self.sources[source].max_epochs
        return None if most is None else self.epochs[source].windows(most)

    def _exhausted(self, windows: int) -> BudgetError:
        """Which sources run out, by how much, and the ways out."""
        counts = self._counts(windows)
        limits = [self._limit(number) for number in range(len(self.sources))]
        short = [
            f"'{source.name}' ({source.documents.tokens:,} tokens, at most {source.max_epochs:g} epochs) would be read "
            f"{count / epochs.windows(1):.1f} times"
            for source, epochs, count, limit in zip(self.sources, self.epochs, counts.tolist(), limits, strict=True)
            if limit is not None and count > limit
        ]
        most = min(
            int(limit / share)
            for limit, share in zip(limits, self._window_shares.tolist(), strict=True)
            if limit is not None
        )
        return BudgetError(
            f"The mixture of {windows:,} windows (about {windows * self.tokens_per_window:,.0f} tokens) needs more "
            f"than its sources may give: {'; '.join(short)}. Train on at most {most:,} windows (about "
            f"{most * self.tokens_per_window:,.0f} tokens), lower the weight, raise max_epochs, or add data."
        )

    def _counts(self, windows: int) -> Int[np.ndarray, "s"]:
        """How many of the first so many windows come from each source."""
        block, place = divmod(windows, _BLOCK)
        inside = np.bincount(self._block(block)[0][:place], minlength=len(self.sources)) if place else 0
        return np.asarray(self._given_before(block) + inside)

    def _given_before(self, block: int) -> Int[np.ndarray, "s"]:
        while len(self._given) <= block:
            due = self._window_shares * _BLOCK * len(self._given) - self._given[-1]
            self._given.append(self._given[-1] + _apportion(due, _BLOCK))
        return self._given[block]

    def _make_block(self, block: int) -> _Block:
        before = self._given_before(block)
        counts = self._given_before(block + 1) - before
        sources = np.repeat(np.arange(len(counts)), counts)
        rank = np.arange(_BLOCK) - np.repeat(np.cumsum(counts) - counts, counts)
        start = np.random.default_rng((self.seed, _INTERLEAVE, block)).random(len(counts))
        order = np.argsort((rank + start[sources]) / counts[sources], kind="stable")
        return sources[order], before[sources[order]] + rank[order]


def _apportion(due: Float[np.ndarray, "s"], places: int) -> Int[np.ndarray, "s"]:
    """Whole places, in all `places`, as near as can be to what is due (largest remainder; nobody gives any back)."""
    counts = np.maximum(0, np.floor(due).astype(np.int64))
    open_places = places - int(counts.sum())
    by_need = np.argsort(counts - due, kind="stable")
    if open_places >= 0:
        counts[by_need[:open_places]] += 1
    else:
        # Sources that were ahead of their share give nothing back, so others wait: the largest can best.
        for _ in range(-open_places):
            counts[np.argmax(counts)] -= 1
    return np.asarray(counts)
