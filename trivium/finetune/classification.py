"""What a text is: one label of several, any of them, or a number."""

__all__ = ["prepare_classification"]

from collections.abc import Sequence

import numpy as np

from trivium.architecture import Problem, SequenceLabels
from trivium.data.examples import Examples, LabelledText
from trivium.finetune.framed import framed
from trivium.finetune.heads import with_head
from trivium.finetune.labels import label_numbers, weights_of
from trivium.finetune.prepared import Prepared
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.objectives.batch import IGNORE
from trivium.objectives.row import Label, Row
from trivium.train.loss import LossFn
from trivium.train.task_loss import class_loss, label_loss, number_loss
from trivium.weights.fresh import FreshHead

_PROBLEMS: dict[str, Problem] = {
    "classification": "single_label_classification",
    "multi-label": "multi_label_classification",
    "regression": "regression",
}


def prepare_classification(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings
) -> Prepared:
    """Examples of classification, multi-label or regression under the head that says it.

    Raises `DataError` for a label that is not among `labels` and for other forms, `UsageError` for a text that is too
    long where it may not be cut.
    """
    examples.require("classification", "multi-label", "regression", what="a label for each text")
    head = FreshHead("sequence-classification", tuple(labels), _PROBLEMS[examples.form])
    architecture = with_head(lm.architecture, head)
    task = architecture.task
    assert isinstance(task, SequenceLabels)
    numbers = {} if examples.form == "regression" else label_numbers(examples, task.labels)
    texts = framed(lm, [_text(example) for example in examples], settings)
    segments = architecture.stacks[0].embedding.segments > 1
    rows = []
    for place, read in zip(texts.places, texts.read, strict=True):
        ids = np.array(read.ids, dtype=np.int64)
        example = examples.examples[place]
        assert isinstance(example, LabelledText)
        rows.append(
            Row(
                ids,
                np.full_like(ids, IGNORE),
                np.ones_like(ids),
                segments=np.array(read.segments, dtype=np.int64) if segments else None,
                label=_label(example, numbers),
            )
        )
    return Prepared(
        architecture,
        tuple(rows),
        _loss(examples, task.labels, settings),
        lm.tokenizer.pad_id or 0,
        texts.left_out,
        texts.cut,
    )


def _text(example: object) -> str | tuple[str, str]:
    assert isinstance(example, LabelledText)
    return example.text


def _label(example: LabelledText, numbers: dict[str, int]) -> Label:
    match example.label:
        case str():
            return numbers[example.label]
        case tuple():
            return tuple(float(label in example.label) for label in numbers)
        case _:
            return float(example.label)


def _loss(examples: Examples, labels: Sequence[str], settings: FineTuneSettings) -> LossFn:
    match examples.form:
        case "regression":
            return number_loss
        case "multi-label":
            return label_loss(weights_of(examples, labels, settings))
        case _:
            return class_loss(weights_of(examples, labels, settings))
