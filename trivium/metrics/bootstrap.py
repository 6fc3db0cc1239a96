"""Bootstrap: how far a figure would move if other items had been drawn (Efron & Tibshirani 1993, chapter 13). No torch.

Items are drawn with replacement, as many as there are, and the statistic is taken of each such resample. A resample is
a row of weights: how often each item is in it. So a statistic that is a function of sums over items costs one matrix
product for all resamples. The interval is the percentile one; of two systems on the same items, the difference is
taken in each resample (the paired bootstrap: Koehn 2004), which cancels what is hard for both. Where all items are
right, or all wrong, no resample differs from another: there a share's interval is Clopper and Pearson's.

Items must be independent: for tags an item is a sentence, not a word.

Letters: S resamples, N items, C counts of an item.
"""

__all__ = [
    "RESAMPLES",
    "Difference",
    "Statistic",
    "Sums",
    "bootstrap",
    "bootstrap_all",
    "mean_of",
    "paired_bootstrap",
    "resamples",
]

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped

from trivium.errors import UsageError
from trivium.metrics.metric import Metric

#: Resamples where nothing else is asked: the end of a 95 % interval then stands on 50 of them.
RESAMPLES: Final = 2000
#: So many weights are held at a time.
_WEIGHTS: Final = 4_000_000


@runtime_checkable
class Statistic(Protocol):
    """A figure of weighted items: `statistic(weights)` is its value in each resample, not-a-number where undefined."""

    @property
    def items(self) -> int:
        """How many items there are."""

    def __call__(self, weights: Float[np.ndarray, "S N"]) -> Float[np.ndarray, "S"]:
        """The figure for each row of weights."""


@dataclass(frozen=True, eq=False)
class Sums:
    """A figure that is a function `of` the sums of what is counted at each item: of (S, C) to (S,).

    `is_share` says that it is the share of items of which something is true.
    """

    counts: Float[np.ndarray, "N C"]
    of: Callable[[Float[np.ndarray, "S C"]], Float[np.ndarray, "S"]]
    is_share: bool = False

    @property
    def items(self) -> int:
        """How many items there are."""
        return len(self.counts)

    def __call__(self, weights: Float[np.ndarray, "S N"]) -> Float[np.ndarray, "S"]:
        """The figure for each row of weights."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.of(weights @ self.counts), dtype=float)


def mean_of(values: Sequence[float | int] | Shaped[np.ndarray, "N"]) -> Sums:
    """The mean of a number of each item, or of truth values: the share of items of which it is true."""
    given = np.asarray(values)
    numbers = given.astype(float)
    counts = np.stack([numbers, np.ones_like(numbers)], axis=1)
    return Sums(counts, lambda sums: sums[:, 0] / sums[:, 1], is_share=given.dtype == np.bool_)


@dataclass(frozen=True)
class Difference:
    """How much better `first` is than `second` on the same items, with its interval.

    `p_value` is two-sided: twice the share of resamples on the other side of zero (ties count on both), 1 at most.
    `probability` is the share of resamples in which the first has the larger figure (ties count half).
    """

    name: str
    value: float
    low: float
    high: float
    probability: float
    p_value: float
    items: int
    confidence: float = 0.95

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f"{self.value:+.4g} ({self.low:+.4g} to {self.high:+.4g})"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def resamples(items: int, count: int, seed: int) -> Iterator[Float[np.ndarray, "S N"]]:
    """The weights of `count` resamples, some rows at a time; equal for equal seeds, however many rows those are."""
    generator = np.random.default_rng(seed)
    rows = max(1, min(count, _WEIGHTS // items))
    for first in range(0, count, rows):
        here = min(rows, count - first)
        drawn = generator.integers(items, size=(here, items)) + items * np.arange(here)[:, None]
        yield np.bincount(drawn.ravel(), minlength=here * items).reshape(here, items).astype(float)


def bootstrap(
    name: str, statistic: Statistic, *, count: int = RESAMPLES, seed: int = 0, confidence: float = 0.95
) -> Metric:
    """The figure with its percentile interval; without one where there is a single item, or none that is defined.

    Raises `UsageError` where there is no item, or the confidence is not between 0 and 1.
    """
    return bootstrap_all({name: statistic}, count=count, seed=seed, confidence=confidence)[name]


def bootstrap_all(
    statistics: Mapping[str, Statistic], *, count: int = RESAMPLES, seed: int = 0, confidence: float = 0.95
) -> dict[str, Metric]:
    """The same for several figures of the same items, in the same resamples."""
    if not statistics:
        return {}
    items = _items(list(statistics.values()), count, confidence)
    whole = np.ones((1, items))
    drawn = [[statistic(weights) for statistic in statistics.values()] for weights in resamples(items, count, seed)]
    made = {}
    for place, (name, statistic) in enumerate(statistics.items()):
        values = np.concatenate([block[place] for block in drawn])
        value = float(statistic(whole)[0])
        ends = _ends(values, confidence) if items > 1 else (None, None)
        if items > 1 and value in (0, 1) and isinstance(statistic, Sums) and statistic.is_share:
            ends = _exact_ends(value, items, confidence)
        made[name] = Metric(name, value, *ends, items, confidence)
    return made


def paired_bootstrap(
    name: str,
    first: Statistic,
    second: Statistic,
    *,
    count: int = RESAMPLES,
    seed: int = 0,
    confidence: float = 0.95,
) -> Difference:
    """`first` less `second` on the same items, in the same order.

    Raises `UsageError` where they have not equally many items, or none.
    """
    items = _items([first, second], count, confidence)
    whole = np.ones((1, items))
    moved = np.concatenate([first(weights) - second(weights) for weights in resamples(items, count, seed)])
    low, high = _ends(moved, confidence)
    known = moved[np.isfinite(moved)]
    above, ties = (float(np.mean(mask)) if len(known) else 0.0 for mask in (known > 0, known == 0))
    value = float((first(whole) - second(whole))[0])
    p_value = min(1.0, 2 * min(above + ties, 1 - above))
    nan = float("nan")
    return Difference(
        name, value, nan if low is None else low, nan if high is None else high, above + ties / 2, p_value, items,
        confidence,
    )  # fmt: skip


def _items(statistics: Sequence[Statistic], count: int, confidence: float) -> int:
    if not 0 < confidence < 1:
        raise UsageError(f"confidence is {confidence}: it lies between 0 and 1, such as 0.95.")
    if count < 1:
        raise UsageError(f"count is {count}: give at least one resample, better {RESAMPLES:,}.")
    sizes = {statistic.items for statistic in statistics}
    if len(sizes) > 1:
        raise UsageError(f"The systems have {' and '.join(map(str, sorted(sizes)))} items: compare them on the same.")
    [items] = sizes
    if items == 0:
        raise UsageError("There is no item, so nothing to measure: give at least one.")
    return items


def _exact_ends(value: float, items: int, confidence: float) -> tuple[float, float]:
    """Of a share that is 0 or 1, of which every resample is the same (Clopper & Pearson 1934)."""
    slack = float(((1 - confidence) / 2) ** (1 / items))
    return (slack, 1.0) if value else (0.0, 1 - slack)


def _ends(values: Float[np.ndarray, "S"], confidence: float) -> tuple[float | None, float | None]:
    """The interval's ends; none where the figure is undefined in most resamples."""
    known = values[np.isfinite(values)]
    if 2 * len(known) < len(values):
        return None, None
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
