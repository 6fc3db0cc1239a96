"""How good a predictor is on examples: every figure with its interval, every sample kept, and how it was asked. No
torch.

    evaluation = evaluate(predictor, examples, folder=Path("results/reviews"))
    print(evaluation)
    print(evaluation.less(other, "accuracy"))        # of two systems on the same items

A folder keeps every prediction as it is made: the same call goes on where it was, and a finished one is read.
"""

__all__ = ["Evaluation", "Told", "evaluate"]

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.data.examples import (
    Conversation,
    Examples,
    Form,
    LabelledText,
    Preference,
    Question,
    TaggedWords,
    TextPair,
)
from trivium.errors import DataError, UsageError, nearest
from trivium.evaluate.predictions import Described, Prediction, Predictor
from trivium.evaluate.samples import EVALUATION, SAMPLES, Journal, write_samples
from trivium.evaluate.scoring import score_predictions
from trivium.files import atomic_write
from trivium.metrics.bootstrap import Difference, Statistic, bootstrap_all, paired_bootstrap
from trivium.metrics.metric import Metric
from trivium.metrics.tally import LabelScore

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Called with how many examples are done, and of how many.
Told = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The figures of one predictor on some examples, and all that they depend on.

    `seconds` are those of predicting. `fingerprint` is the examples' own: figures of equal ones may be compared.
    `statistics`, `predictions` and `scores` (of each item: 1 where all of it is right) are not in `to_dict`.
    """

    form: Form
    where: str
    items: int
    metrics: tuple[Metric, ...]
    labels: tuple[LabelScore, ...]
    remarks: tuple[str, ...]
    how: Mapping[str, str]
    normalisation: Mapping[str, str]
    first_input: str
    seconds: float
    skipped: Mapping[str, int]
    fingerprint: str
    key: str
    seed: int
    statistics: Mapping[str, Statistic] = field(repr=False)
    scores: tuple[float, ...] = field(repr=False)
    predictions: tuple[Prediction, ...] = field(repr=False)

    @property
    def main(self) -> Metric:
        """The metric that decides where one number must."""
        return self.metrics[0]

    def metric(self, name: str) -> Metric:
        """A metric by its name. Raises `UsageError` where there is none."""
        found = {metric.name: metric for metric in self.metrics}
        if name not in found:
            raise UsageError(f"There is no metric '{name}' here.{nearest(name, found)} There are: {', '.join(found)}.")
        return found[name]

    def less(self, other: "Evaluation", name: str | None = None, confidence: float = 0.95) -> Difference:
        """The figure of this predictor less another's on the same items, by the paired bootstrap.

        Raises `UsageError` where the items are not the same.
        """
        if self.fingerprint != other.fingerprint:
            raise UsageError(
                f"The evaluations are of different examples ({self.where}: {self.items:,}; {other.where}: "
                f"{other.items:,}): only figures of the same items can be paired. Use the same file, limit and seed."
            )
        name = self.main.name if name is None else name
        self.metric(name), other.metric(name)
        statistics = self.statistics[name], other.statistics[name]
        return paired_bootstrap(name, *statistics, seed=self.seed, confidence=confidence)

    def plot(self) -> "Figure":
        """How often the predictor is right where it is so sure; of one without probabilities, its figures."""
        from trivium.evaluate.picture import reliability_chart, score_chart

        if "ece" not in self.statistics:
            return score_chart({f"{self.where}, {metric.name}": [("", metric)] for metric in self.metrics})
        sure = [max(prediction.scores.values()) for prediction in self.predictions]
        return reliability_chart(sure, [score == 1 for score in self.scores], f"{self.where}, {self.items:,} items")

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        plain = ("form", "where", "items", "remarks", "first_input", "seconds", "fingerprint", "key", "seed")
        return {
            **{name: getattr(self, name) for name in plain},
            "metrics": {metric.name: metric.to_dict() for metric in self.metrics},
            "labels": [row.to_dict() for row in self.labels],
            "how": dict(self.how),
            "normalisation": dict(self.normalisation),
            "skipped": dict(self.skipped),
        }

    def __str__(self) -> str:
        width = max(len(metric.name) for metric in self.metrics)
        lines = [f"{self.where}: {self.items:,} items, {self.form}"]
        return "\n".join(lines + [f"  {metric.name:<{width}}  {metric}" for metric in self.metrics])


def evaluate(
    predictor: Predictor,
    examples: Examples,
    *,
    metrics: Sequence[str] | None = None,
    folder: Path | None = None,
    identity: str = "",
    at_once: int = 64,
    seed: int = 0,
    confidence: float = 0.95,
    told: Told | None = None,
) -> Evaluation:
    """Ask a predictor for every example, `at_once` of them at a time, and measure what it says.

    With a folder, predictions are kept as they are made: a call that was killed goes on where it was. They are of the
    same examples, of a predictor of the same `how`, and of the same `identity`, which says what else they depend on (a
    model's weights). Raises `DataError` where the predictor cannot be asked for this form of task, and what
    `score_predictions` raises.
    """
    if examples.form not in predictor.forms:
        raise DataError(
            f"{examples.where} holds examples of {examples.form}, and this predictor is for "
            f"{' and '.join(predictor.forms)}. Use a model with a head for it, fine-tune one, or prompt a decoder."
        )
    how = dict(predictor.how) if isinstance(predictor, Described) else {}
    fingerprint = examples.fingerprint
    key = hashlib.sha256(json.dumps([fingerprint, how, identity]).encode()).hexdigest()
    journal = Journal(folder, key)
    while (first := len(journal.predictions)) < len(examples):
        began = time.perf_counter()
        some = examples.pick(range(first, min(first + at_once, len(examples))))
        said = predictor.predict(some)
        if len(said) != len(some):
            raise UsageError(f"The predictor says {len(said):,} things of {len(some):,} examples: say one of each.")
        journal.add(said, time.perf_counter() - began)
        if told is not None:
            told(len(journal.predictions), len(examples))
    predictions = tuple(journal.predictions)
    scored = score_predictions(examples, predictions, metrics)
    figures = bootstrap_all(scored.statistics, seed=seed, confidence=confidence)
    evaluation = Evaluation(
        form=examples.form,
        where=examples.where,
        items=len(examples),
        metrics=tuple(figures.values()),
        labels=scored.labels,
        remarks=(*scored.remarks, *_undefined(figures.values())),
        how=how,
        normalisation=scored.normalisation,
        first_input=predictions[0].input or _shown(examples),
        seconds=journal.seconds,
        skipped=examples.skipped,
        fingerprint=fingerprint,
        key=key,
        seed=seed,
        statistics=scored.statistics,
        scores=scored.items,
        predictions=predictions,
    )
    if folder is not None:
        write_samples(folder / SAMPLES, examples, predictions, scored.items)
        document = json.dumps(_finite(evaluation.to_dict()), indent=2, ensure_ascii=False)
        atomic_write(folder / EVALUATION, document.encode(errors="backslashreplace"))
        journal.finish()
    return evaluation


def _undefined(metrics: Iterable[Metric]) -> tuple[str, ...]:
    named = [metric.name for metric in metrics if not math.isfinite(metric.value)]
    return (f"Undefined on these items: {', '.join(named)}.",) if named else ()


def _shown(examples: Examples) -> str:
    """The text of the first example, where the predictor does not say what it read."""
    match examples.examples[0]:
        case LabelledText(text=text):
            return text if isinstance(text, str) else "\n".join(text)
        case TaggedWords(words=words):
            return " ".join(words)
        case Question(question=question, context=context):
            return f"{question}\n{context}"
        case TextPair(source=source):
            return source
        case Conversation(turns=turns):
            return "\n".join(content for _, content in turns[:-1])
        case Preference(turns=turns):
            return "\n".join(content for _, content in turns)


def _finite(value: Any) -> Any:
    """With null for numbers that are none, which JSON has not."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value
