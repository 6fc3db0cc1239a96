"""Whether the intervals of a comparison hold what they say: comparisons of which the truth is known. No torch.

An item has a difficulty that all candidates feel, and a candidate answers it rightly with a chance of its own:

    right_c = [ sqrt(r) z + sqrt(1 - r) z_c  <  F^-1(a_c) ]        z, z_c standard normal, F their distribution

so that candidate c is right on a share a_c of all items that there could be, and two of equal a agree the more often
the larger r is. A comparison sees `items` of them; whether what it says is true of a_c is counted over many. Where a
candidate is trained from several seeds, each gives it another accuracy, normal around a_c.

Letters: N items, C candidates.
"""

__all__ = ["Coverage", "draw_answers", "simulate"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool
from scipy.stats import norm

from trivium.compare.ranking import Ranking, rank
from trivium.metrics.bootstrap import mean_of


@dataclass(frozen=True)
class Coverage:
    """Shares of the comparisons in which what was said held.

    `scores`: an interval of a score held the true accuracy (of all candidates, each by itself). `differences`: every
    pair's interval held the true difference, all at once. `best_kept`: a candidate that is truly best was among those
    that may be. `called`: only one was left. `called_rightly`: of these, it was truly the best. `stated` and
    `came_true`: the mean probability that the leader is the best, and how often it was.
    """

    comparisons: int
    items: int
    candidates: int
    scores: float
    differences: float
    best_kept: float
    called: float
    called_rightly: float
    stated: float
    came_true: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def draw_answers(
    accuracies: Sequence[float], items: int, agreement: float, generator: np.random.Generator
) -> Bool[np.ndarray, "N C"]:
    """Whether each candidate is right on each item; `agreement` is r of the module's text."""
    shared = generator.standard_normal((items, 1))
    own = generator.standard_normal((items, len(accuracies)))
    right: Bool[np.ndarray, "N C"] = np.sqrt(agreement) * shared + np.sqrt(1 - agreement) * own < norm.ppf(accuracies)
    return right


def simulate(
    spread: float,
    *,
    items: int,
    candidates: int,
    comparisons: int,
    accuracy: float = 0.8,
    agreement: float = 0.5,
    seeds: int = 1,
    seed_spread: float = 0.0,
    resamples: int = 1000,
    seed: int = 0,
) -> Coverage:
    """Comparisons of candidates whose true accuracies are drawn anew each time, normal with deviation `spread`.

    With a spread of 0 all are equally good, and each is truly best. Of `seeds` trainings the accuracies have the
    deviation `seed_spread`.
    """
    generator = np.random.default_rng(seed)
    alone = covered = kept = called = rightly = came_true = 0
    stated = 0.0
    for number in range(comparisons):
        truth = np.clip(accuracy + spread * generator.standard_normal(candidates), 0.02, 0.98)
        trained = truth.repeat(seeds) + seed_spread * generator.standard_normal(candidates * seeds)
        right = draw_answers(np.clip(trained, 0.01, 0.99).tolist(), items, agreement, generator)
        ranking = _ranking(right, seeds, resamples, number)
        true = {str(place): float(value) for place, value in enumerate(truth)}
        highest = max(true.values())
        alone += sum(s.score.low <= true[s.name] <= s.score.high for s in ranking.standings)  # type: ignore[operator]
        covered += all(
            difference.low <= true[one] - true[other] <= difference.high
            for (one, other), difference in ranking.differences.items()
        )
        kept += any(true[standing.name] == highest for standing in ranking.contenders)
        leader_is_best = true[ranking.best.name] == highest
        if len(ranking.contenders) == 1:
            called += 1
            rightly += leader_is_best
        stated += ranking.best.probability_best
        came_true += leader_is_best
    return Coverage(
        comparisons,
        items,
        candidates,
        scores=alone / (comparisons * candidates),
        differences=covered / comparisons,
        best_kept=kept / comparisons,
        called=called / comparisons,
        called_rightly=rightly / called if called else 1.0,
        stated=stated / comparisons,
        came_true=came_true / comparisons,
    )


def _ranking(right: Bool[np.ndarray, "N _"], seeds: int, resamples: int, number: int) -> Ranking:
    """Of answers in columns, those of a candidate's seeds side by side."""
    groups = np.split(right, right.shape[1] // seeds, axis=1)
    statistics = {str(place): [mean_of(column) for column in group.T] for place, group in enumerate(groups)}
    return rank("accuracy", statistics, count=resamples, seed=number)
