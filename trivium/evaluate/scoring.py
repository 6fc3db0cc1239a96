"""What predictions are worth: the metrics of each form of task, and what one should know before one believes them. No
torch.

    classification   accuracy, macro_f1, mcc, ece (where every label has a probability)
    multi-label      micro_f1, macro_f1, exact_match (all labels of an item right)
    regression       pearson, spearman, mean_absolute_error
    tagging          entity_f1, entity_precision, entity_recall, entity_macro_f1, accuracy where tags are of entities;
                     else accuracy, macro_f1; an item is a sentence
    extraction       exact_match, token_f1
    text-to-text     bleu, chrf, rouge1, rouge2, rougeL, exact_match, token_f1
"""

__all__ = ["METRICS", "Scored", "score_predictions"]

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from trivium.data.examples import Examples, Form, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import DataError, UsageError, nearest
from trivium.evaluate.predictions import Prediction
from trivium.evaluate.remarks import few, label_remarks, tag_remarks, text_remarks
from trivium.metrics import answers, texts
from trivium.metrics.bootstrap import Statistic, mean_of
from trivium.metrics.calibration import BINS, expected_calibration_error
from trivium.metrics.entities import entity_tally, is_marked
from trivium.metrics.numbers import mean_absolute_error, pearson, spearman
from trivium.metrics.tally import LabelScore, Tally

#: The metrics of each form; the first is the one that decides where one number must.
METRICS: Final[Mapping[Form, tuple[str, ...]]] = {
    "classification": ("accuracy", "macro_f1", "mcc", "ece"),
    "multi-label": ("micro_f1", "macro_f1", "exact_match"),
    "regression": ("pearson", "spearman", "mean_absolute_error"),
    "tagging": ("entity_f1", "entity_precision", "entity_recall", "entity_macro_f1", "accuracy", "macro_f1"),
    "extraction": ("exact_match", "token_f1"),
    "text-to-text": ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "exact_match", "token_f1"),
}

#: A probability may be off by so much in a sum over labels, for rounding.
_ROUNDING: Final = 1e-3


@dataclass(frozen=True, eq=False)
class Scored:
    """The metrics of predictions as functions of their items, by name; what was done to texts before they were
    compared; each label by itself; what is odd; and each item's own score (1 where all of it is right).
    """

    statistics: Mapping[str, Statistic]
    items: tuple[float, ...]
    labels: tuple[LabelScore, ...] = ()
    normalisation: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def score_predictions(
    examples: Examples, predictions: Sequence[Prediction], metrics: Sequence[str] | None = None
) -> Scored:
    """The metrics of predictions, by default all that their form has.

    Raises `DataError` where there is no example or the predictor knows no label of the data, `UsageError` for a metric
    that the form has not, or that needs a library which is not installed, and for predictions of another form.
    """
    for name in metrics or ():
        if name not in METRICS[examples.form]:
            there = ", ".join(METRICS[examples.form])
            raise UsageError(
                f"There is no metric '{name}' of {examples.form}.{nearest(name, METRICS[examples.form])} "
                f"There are: {there}."
            )
    if len(predictions) != len(examples):
        raise UsageError(f"There are {len(predictions):,} predictions of {len(examples):,} examples: give one of each.")
    if not predictions:
        raise DataError(f"{examples.where} holds no example to be measured on.")
    return _SCORERS[examples.form](examples, predictions, metrics)


def _classification(examples: Examples, predictions: Sequence[Prediction], metrics: Sequence[str] | None) -> Scored:
    truth = [example.label for example in examples if isinstance(example, LabelledText)]
    said = _strings(predictions, "a label")
    known = {label for prediction in predictions for label in prediction.scores}
    if known and not known & set(map(str, truth)):
        raise DataError(
            f"The predictor knows the labels {few(known)}, and {examples.where} has none of them: it has "
            f"{few(map(str, truth))}. Name the column that holds its labels, or map them to the data's."
        )
    right = [a == b for a, b in zip(truth, said, strict=True)]
    tally = Tally.of_sets([(str(label),) for label in truth], [(label,) for label in said])
    made: dict[str, Callable[[], Statistic]] = {
        "accuracy": lambda: mean_of(right),
        "macro_f1": tally.macro_f1,
        "mcc": tally.mcc,
    }
    normalisation = {"labels": "compared letter by letter"}
    if all(_are_probabilities(prediction.scores) for prediction in predictions):
        sure = [each.scores.get(label, 0.0) for each, label in zip(predictions, said, strict=True)]
        made["ece"] = lambda: expected_calibration_error(sure, right)
        normalisation["ece"] = f"{BINS} bins of equal width over the probability of the label that is said"
    remarks = label_remarks(tally.rows(), known, len(examples))
    return Scored(_chosen(made, metrics), _floats(right), tally.rows(), normalisation, remarks)


def _multi_label(examples: Examples, predictions: Sequence[Prediction], metrics: Sequence[str] | None) -> Scored:
    truth = [example.labels for example in examples if isinstance(example, LabelledText)]
    said = _tuples(predictions, "its labels")
    known = {label for prediction in predictions for label in prediction.scores}
    tally = Tally.of_sets(truth, [tuple(dict.fromkeys(labels)) for labels in said])
    right = [set(a) == set(b) for a, b in zip(truth, said, strict=True)]
    made: dict[str, Callable[[], Statistic]] = {
        "micro_f1": tally.micro_f1,
        "macro_f1": tally.macro_f1,
        "exact_match": lambda: mean_of(right),
    }
    remarks = label_remarks(tally.rows(), known, len(examples))
    return Scored(
        _chosen(made, metrics), _floats(right), tally.rows(), {"labels": "compared letter by letter"}, remarks
    )


def _regression(examples: Examples, predictions: Sequence[Prediction], metrics: Sequence[str] | None) -> Scored:
    truth = [float(example.label) for example in examples if isinstance(example, LabelledText)]  # type: ignore[arg-type]
    said = _numbers(predictions)
    made: dict[str, Callable[[], Statistic]] = {
        "pearson": lambda: pearson(truth, said),
        "spearman": lambda: spearman(truth, said),
        "mean_absolute_error": lambda: mean_absolute_error(truth, said),
    }
    sides = (("the data has", truth), ("the predictor says", said))
    remarks = tuple(f"Correlations are undefined: {who} one number only." for who, side in sides if len(set(side)) == 1)
    return Scored(_chosen(made, metrics), tuple(abs(a - b) for a, b in zip(truth, said, strict=True)), remarks=remarks)


def _tagging(examples: Examples, predictions: Sequence[Prediction], metrics: Sequence[str] | None) -> Scored:
    truth = [example.tags for example in examples if isinstance(example, TaggedWords)]
    said = _tuples(predictions, "a tag for each word")
    for number, (a, b) in enumerate(zip(truth, said, strict=True)):
        if len(a) != len(b):
            raise UsageError(f"Prediction {number:,} has {len(b):,} tags for {len(a):,} words: say one of each word.")
    words = Tally.of_sequences(truth, said)
    marked = is_marked(tag for tags in truth for tag in tags)
    made: dict[str, Callable[[], Statistic]] = {"accuracy": words.accuracy}
    normalisation = {"tags": "compared letter by letter"}
    if marked:
        found = entity_tally(truth, said)
        made |= {
            "entity_f1": found.micro_f1,
            "entity_precision": found.precision,
            "entity_recall": found.recall,
            "entity_macro_f1": found.macro_f1,
        }
        normalisation["entities"] = "kind, first and last word; tags out of order as conlleval reads them"
    else:
        made["macro_f1"] = words.macro_f1
    items = _floats([a == b for a, b in zip(truth, said, strict=True)])
    remarks = tag_remarks(truth, said, marked)
    return Scored(_chosen(made, metrics), items, (found if marked else words).rows(), normalisation, remarks)


def _extraction(examples: Examples, predictions: Sequence[Prediction], metrics: Sequence[str] | None) -> Scored:
    right = [example.answers for example in examples if isinstance(example, Question)]
    said = _strings(predictions, "an answer")
    made, exact = _answered(said, right)
    remarks = text_remarks(said, right)
    return Scored(_chosen(made, metrics), exact, normalisation={"answers": answers.NORMALISATION}, remarks=remarks)


def _text_to_text(examples: Examples, predictions: Sequence[Prediction], metrics: Sequence[str] | None) -> Scored:
    right = [example.targets for example in examples if isinstance(example, TextPair)]
    said = _strings(predictions, "a text")
    asked = set(metrics or METRICS["text-to-text"])
    made, exact = _answered(said, right)
    normalisation = {"exact_match, token_f1": answers.NORMALISATION}
    if asked & {"bleu", "chrf"}:
        made |= {"bleu": lambda: texts.bleu(said, right), "chrf": lambda: texts.chrf(said, right)}
        normalisation |= texts.signatures(said, right)
    if asked & {"rouge1", "rouge2", "rougeL"}:
        rouge = texts.rouge(said, right)
        made |= {name: functools.partial(rouge.__getitem__, name) for name in rouge}
        normalisation["rouge"] = texts.rouge_signature()
    made = {name: made[name] for name in METRICS["text-to-text"] if name in made}
    return Scored(_chosen(made, metrics), exact, normalisation=normalisation, remarks=text_remarks(said, right))


_SCORERS: Final[Mapping[Form, Callable[[Examples, Sequence[Prediction], Sequence[str] | None], Scored]]] = {
    "classification": _classification,
    "multi-label": _multi_label,
    "regression": _regression,
    "tagging": _tagging,
    "extraction": _extraction,
    "text-to-text": _text_to_text,
}


def _answered(
    said: Sequence[str], right: Sequence[Sequence[str]]
) -> tuple[dict[str, Callable[[], Statistic]], tuple[float, ...]]:
    exact = tuple(answers.exact_match(text, targets) for text, targets in zip(said, right, strict=True))
    overlap = [answers.token_f1(text, targets) for text, targets in zip(said, right, strict=True)]
    return {"exact_match": lambda: mean_of(list(map(bool, exact))), "token_f1": lambda: mean_of(overlap)}, exact


def _chosen(made: Mapping[str, Callable[[], Statistic]], metrics: Sequence[str] | None) -> dict[str, Statistic]:
    if missing := [name for name in metrics or () if name not in made]:
        raise UsageError(
            f"'{missing[0]}' cannot be measured here: the predictor gives no probabilities, or the tags are of another "
            f"kind. There are: {', '.join(made)}."
        )
    return {name: made[name]() for name in metrics or made}


def _strings(predictions: Sequence[Prediction], what: str) -> list[str]:
    return [each.said if isinstance(each.said, str) else _wrong(each, what) for each in predictions]


def _tuples(predictions: Sequence[Prediction], what: str) -> list[tuple[str, ...]]:
    return [each.said if isinstance(each.said, tuple) else _wrong(each, what) for each in predictions]


def _numbers(predictions: Sequence[Prediction]) -> list[float]:
    return [
        float(each.said) if isinstance(each.said, float | int) else _wrong(each, "a number") for each in predictions
    ]


def _wrong(prediction: Prediction, what: str) -> NoReturn:
    raise UsageError(f"A prediction says {prediction.said!r:.60}, and this form of task asks for {what}.")


def _are_probabilities(scores: Mapping[str, float]) -> bool:
    values = scores.values()
    return len(scores) > 1 and min(values) >= 0 and abs(sum(values) - 1) < _ROUNDING


def _floats(right: Sequence[bool]) -> tuple[float, ...]:
    return tuple(map(float, right))
