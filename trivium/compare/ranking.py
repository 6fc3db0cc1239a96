"""Several candidates on the same items: which differ, and which may be the best. No torch.

Every resample of the items scores all candidates at once (the paired bootstrap: Koehn 2004), so that items which are
hard for all cancel in a difference:

    d_ij = s_i - s_j        its standard error e_ij is the deviation of d*_ij over the resamples
    q    = the confidence-quantile over resamples of  max over all pairs of |d*_ij - mean d*_ij| / e_ij
    d_ij +- q e_ij

holds for all pairs together (the single-step maximum: Westfall & Young 1993; Romano & Wolf 2005), and so also for the
pair with the best, which was picked by looking. A candidate that no other surely surpasses may be the best.

What a resample cannot draw is what the items never showed: two candidates that agree on 50 items need not agree on
the next. As Agresti & Min (2005) add half an item to each way in which a pair may differ, each score gets a normal
error, such that that of a difference is what one item is worth.

The interval of a score alone is Wilson's (1927), of as many items as would give its own standard error e (Kish 1965's
effective size), which holds up to the ends of the scale, where resamples all say the same. With the score s in 0 to 1:

    n = s (1 - s) / e^2    the interval is  (s + z^2 / 2n +- z sqrt(s (1 - s) / n + z^2 / 4n^2)) / (1 + z^2 / n)

A candidate that was trained several times, from several seeds, has the mean of their scores s_k, and its draws get a
Student's t error of their standard error: other seeds would have moved it, too.

Letters: S resamples, C candidates.
"""

__all__ = ["Ranking", "Standing", "rank"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from trivium.errors import UsageError
from trivium.metrics.bootstrap import RESAMPLES, Difference, Statistic, resamples
from trivium.metrics.metric import Metric


@dataclass(frozen=True)
class Standing:
    """A candidate among the others: its score, how far it is behind the best score, whether it may be the best.

    `behind` is the best's score less its own, with an interval and a p-value that hold for all pairs together; None
    for the best itself. `probability_best` is the share of the resamples in which its score is the highest.
    """

    name: str
    score: Metric
    behind: Difference | None
    probability_best: float
    may_be_best: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Candidates from the best score to the worst, and every ordered pair's difference.

    `critical` is q, in standard errors. `draws` are the scores of the resamples, a column for each of `standings`.
    `scale` is the worst and the best score that there can be: 0 and 1 for shares, 0 and 100 for BLEU.
    """

    standings: tuple[Standing, ...]
    differences: Mapping[tuple[str, str], Difference]
    critical: float
    scale: tuple[float | int, float | int]
    draws: Float[np.ndarray, "S C"]

    @property
    def best(self) -> Standing:
        """The one of the highest score."""
        return self.standings[0]

    @property
    def contenders(self) -> tuple[Standing, ...]:
        """All that may be the best, the best score first."""
        return tuple(standing for standing in self.standings if standing.may_be_best)

    @property
    def items(self) -> int:
        """On how many items all were scored."""
        return self.best.score.items

    @property
    def confidence(self) -> float:
        """Of every interval."""
        return self.best.score.confidence

    def __getitem__(self, name: str) -> Standing:
        return self.standings[self._place(name)]

    def error(self, one: str, other: str) -> float:
        """The standard error of a pair's difference."""
        places = [self._place(one), self._place(other)]
        return float(np.subtract(*self.draws[:, places].T).std(ddof=1))

    def probability_within(self, name: str, margin: float | int) -> float:
        """The share of the resamples in which no score is more than `margin` above that of `name`."""
        return float((self.draws[:, self._place(name)] >= self.draws.max(axis=1) - margin).mean())

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it, without the draws."""
        return {
            "standings": [standing.to_dict() for standing in self.standings],
            "differences": [
                {"first": one, "second": other, **difference.to_dict()}
                for (one, other), difference in self.differences.items()
            ],
            "critical": self.critical,
            "scale": list(self.scale),
        }

    def _place(self, name: str) -> int:
        return [standing.name for standing in self.standings].index(name)


def rank(
    metric: str,
    statistics: Mapping[str, Sequence[Statistic]],
    *,
    scale: tuple[float | int, float | int] = (0.0, 1.0),
    count: int = RESAMPLES,
    seed: int = 0,
    confidence: float = 0.95,
) -> Ranking:
    """The ranking of candidates by a metric: of each, by its name, the metric as a statistic of the same items, once
    for every seed.

    Raises `UsageError` where there is no candidate or they have not equally many items.
    """
    if not statistics:
        raise UsageError("No candidate is left to compare: each of them failed. See the reason beside each.")
    sizes = {statistic.items for seeds in statistics.values() for statistic in seeds}
    if len(sizes) > 1 or 0 in sizes:
        raise UsageError(f"The candidates have {sorted(sizes)} items: score all of them on the same ones.")
    [items] = sizes
    scores = {
        name: [_defined(float(seed(np.ones((1, items)))[0])) for seed in seeds] for name, seeds in statistics.items()
    }
    values = {name: float(np.mean(each)) for name, each in scores.items()}
    names = sorted(values, key=lambda name: -values[name])
    generator = np.random.default_rng([seed, 1])  # not the draws of the resamples again
    draws = _draws([statistics[name] for name in names], [scores[name] for name in names], count, seed)
    draws += np.stack([_other_seeds(scores[name], count, generator) for name in names], axis=1)
    errors = draws.std(axis=0, ddof=1)
    draws += generator.standard_normal(draws.shape) * (scale[1] - scale[0]) / ((items + 2) * np.sqrt(2))
    differences, critical = _differences(metric, names, values, draws, items, confidence)
    highest = np.bincount(draws.argmax(axis=1), minlength=len(names)) / len(draws)
    standings = tuple(
        Standing(
            name,
            Metric(
                metric,
                values[name],
                *_ends(values[name], float(errors[place]), items, scale, confidence),
                items,
                confidence,
            ),
            None if place == 0 else differences[names[0], name],
            float(highest[place]),
            not any(differences[other, name].low > 0 for other in names if other != name),
        )
        for place, name in enumerate(names)
    )
    return Ranking(standings, differences, critical, scale, draws)


def _defined(value: float) -> float:
    """A correlation with what does not vary, or F1 of nothing, is worth nothing."""
    return value if np.isfinite(value) else 0.0


def _draws(
    statistics: Sequence[Sequence[Statistic]], scores: Sequence[Sequence[float]], count: int, seed: int
) -> Float[np.ndarray, "S C"]:
    """Scores of every resample; one that is undefined in it (no item of a class was drawn) stays as it is."""
    blocks = []
    for weights in resamples(statistics[0][0].items, count, seed):
        columns = []
        for seeds, found in zip(statistics, scores, strict=True):
            drawn = np.stack([statistic(weights) for statistic in seeds], axis=1)
            columns.append(np.where(np.isfinite(drawn), drawn, found).mean(axis=1))
        blocks.append(np.stack(columns, axis=1))
    return np.concatenate(blocks)


def _other_seeds(scores: Sequence[float], count: int, generator: np.random.Generator) -> Float[np.ndarray, "S"]:
    """By how much the mean over seeds might have been another; zeros where there was one."""
    if len(scores) == 1:
        return np.zeros(count)
    error = float(np.std(scores, ddof=1)) / np.sqrt(len(scores))
    return np.asarray(error * generator.standard_t(len(scores) - 1, count))


def _ends(
    value: float, error: float, items: int, scale: tuple[float | int, float | int], confidence: float
) -> tuple[float, float]:
    """Wilson's interval on the metric's own scale."""
    lowest, width = scale[0], scale[1] - scale[0]
    share = min(1.0, max(0.0, (value - lowest) / width))
    spread = share * (1 - share)
    effective = spread * (width / error) ** 2 if error > 0 and spread > 0 else float(items)
    z = float(norm.ppf((1 + confidence) / 2))
    middle, reach = share + z**2 / (2 * effective), z * np.sqrt(spread / effective + z**2 / (4 * effective**2))
    low, high = ((middle + side * reach) / (1 + z**2 / effective) for side in (-1, 1))
    low, high = max(0.0, min(low, share)), min(1.0, max(high, share))  # at the ends of the scale rounding passes them
    return lowest + width * float(low), lowest + width * float(high)


def _differences(
    metric: str,
    names: Sequence[str],
    values: Mapping[str, float],
    draws: Float[np.ndarray, "S C"],
    items: int,
    confidence: float,
) -> tuple[dict[tuple[str, str], Difference], float]:
    """Every ordered pair's difference, and q."""
    first, second = np.triu_indices(len(names), k=1)
    if not len(first):
        return {}, 0.0
    pairs = draws[:, first] - draws[:, second]
    errors = pairs.std(axis=0, ddof=1)
    largest = (np.abs(pairs - pairs.mean(axis=0)) / errors).max(axis=1)
    critical = float(np.quantile(largest, confidence))
    found = {}
    for pair, (i, j) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        one, other, reach = names[i], names[j], critical * float(errors[pair])
        value, above = values[one] - values[other], float((pairs[:, pair] > 0).mean())
        p = float((1 + (largest >= abs(value) / errors[pair]).sum()) / (1 + len(largest)))
        found[one, other] = Difference(metric, value, value - reach, value + reach, above, p, items, confidence)
        found[other, one] = Difference(metric, -value, -value - reach, -value + reach, 1 - above, p, items, confidence)
    return found, critical
