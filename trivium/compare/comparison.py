"""The outcome of a comparison: every candidate's quality beside its cost, and what to take."""

__all__ = ["COLUMNS", "Comparison", "conclude", "metric_of"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.figure import Figure

from trivium.compare.candidates import Baseline, Candidate
from trivium.compare.chart import Point, quality_chart
from trivium.compare.measured import Failure, Measured
from trivium.compare.ranking import Ranking, rank
from trivium.compare.recommendation import Recommendation, recommend
from trivium.compare.settings import CompareSettings
from trivium.compare.splits import Splits
from trivium.errors import UsageError
from trivium.evaluate.scoring import METRICS, Scored, score_predictions
from trivium.metrics.bootstrap import Statistic
from trivium.metrics.entities import is_marked

#: The head of `Comparison.rows`.
COLUMNS: Final = (
    "candidate", "score", "interval", "behind the best", "may be best", "P(best)", "ms/request", "p95", "ms/item",
    "MB", "trained", "train s",
)  # fmt: skip
#: Metrics that are better the smaller they are: none of them ranks.
_SMALLER_IS_BETTER: Final = ("ece", "mean_absolute_error")
#: The ends of scales that are not 0 and 1.
_SCALES: Final[Mapping[str, tuple[float, float]]] = {
    "bleu": (0.0, 100.0), "chrf": (0.0, 100.0), "mcc": (-1.0, 1.0), "pearson": (-1.0, 1.0), "spearman": (-1.0, 1.0),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Comparison:
    """Of each candidate what was measured; their ranking; those that failed; the recommendation.

    `remarks` says of a candidate what one should know before its score is believed: that it leans to one label.
    """

    settings: CompareSettings
    splits: Splits
    measured: Mapping[str, Measured]
    failed: tuple[Failure, ...]
    ranking: Ranking
    recommendation: Recommendation
    remarks: Mapping[str, tuple[str, ...]]

    def rows(self) -> list[tuple[object, ...]]:
        """A row of `COLUMNS` for each candidate, the best first."""
        made: list[tuple[object, ...]] = []
        for standing in self.ranking.standings:
            score, behind, cost = standing.score, standing.behind, self.measured[standing.name].cost
            made.append(
                (
                    standing.name,
                    f"{score.value:.4g}",
                    f"{score.low:.4g} to {score.high:.4g}",
                    "" if behind is None else f"{behind.value:.3g} ({behind.low:.3g} to {behind.high:.3g})",
                    standing.may_be_best,
                    f"{standing.probability_best:.2f}",
                    f"{1e3 * cost.latency.median_seconds:.3g}",
                    f"{1e3 * cost.latency.p95_seconds:.3g}",
                    f"{1e3 * cost.batched_seconds:.3g}",
                    f"{cost.memory_bytes / 1e6:,.3g}" if cost.memory_bytes < 1e8 else f"{cost.memory_bytes / 1e6:,.0f}",
                    cost.trained_parameters,
                    f"{cost.training_seconds:.3g}",
                )
            )
        return made

    def plot(self) -> Figure:
        """Quality against latency, with intervals; the size of a point is its memory."""
        points = []
        for standing in self.ranking.standings:
            measured = self.measured[standing.name]
            points.append(
                Point(
                    standing.name,
                    standing.score,
                    measured.cost.latency.median_seconds,
                    measured.cost.latency.p95_seconds,
                    measured.cost.memory_bytes,
                    measured.kind,
                    standing.may_be_best,
                )
            )
        return quality_chart(points)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "splits": self.splits.to_dict(),
            "ranking": self.ranking.to_dict(),
            "candidates": {
                name: {
                    "kind": each.kind,
                    "seeds": len(each.measurements),
                    "cost": each.cost.to_dict(),
                    "how": dict(each.measurements[0].how),
                    "remarks": list(self.remarks[name]),
                }
                for name, each in self.measured.items()
            },
            "failed": [{"name": failure.name, "reason": failure.reason} for failure in self.failed],
            "recommendation": self.recommendation.to_dict(),
        }


def metric_of(settings: CompareSettings, splits: Splits) -> str:
    """The metric that decides. Raises `UsageError` for one by which candidates cannot be ranked."""
    form = splits.held_out.form
    if settings.metric in _SMALLER_IS_BETTER:
        raise UsageError(f"'{settings.metric}' is better the smaller it is: rank by one of {', '.join(METRICS[form])}.")
    if settings.metric is not None:
        return settings.metric
    if form == "tagging" and not is_marked(splits.held_out.labels):
        return "accuracy"
    return METRICS[form][0]


def conclude(
    settings: CompareSettings,
    splits: Splits,
    candidates: Sequence[Candidate],
    measured: Sequence[Measured],
    failed: Sequence[Failure],
) -> Comparison:
    """The ranking of what was measured, and the recommendation.

    Raises `UsageError` where nothing was, or by a metric that the task has not.
    """
    if not measured:
        raise UsageError(
            "Every candidate failed. " + " ".join(f"{failure.name}: {failure.reason}" for failure in failed)
        )
    metric = metric_of(settings, splits)
    scored: dict[str, list[Scored]] = {
        each.name: [score_predictions(splits.held_out, one.predictions, [metric]) for one in each.measurements]
        for each in measured
    }
    statistics: dict[str, list[Statistic]] = {
        name: [one.statistics[metric] for one in seeds] for name, seeds in scored.items()
    }
    ranking = rank(
        metric,
        statistics,
        scale=_SCALES.get(metric, (0.0, 1.0)),
        seed=settings.seed,
        confidence=settings.confidence,
    )
    found = {each.name: each for each in measured}
    recommendation = recommend(
        ranking,
        {each.name: each.cost.latency.median_seconds for each in measured},
        margin=settings.margin,
        baselines=[each.name for each in candidates if isinstance(each, Baseline) and each.name in found],
        seeds=settings.seeds,
    )
    remarks = {name: seeds[0].remarks for name, seeds in scored.items()}
    return Comparison(settings, splits, found, tuple(failed), ranking, recommendation, remarks)
