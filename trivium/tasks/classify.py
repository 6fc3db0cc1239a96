"""What a text is: a label of several, several labels, or a number.

one of several         softmax(logits)
several, or one alone  sigmoid(logits), each label by itself
a number               the logits
"""

__all__ = ["Classification", "classify"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from trivium.architecture import SequenceLabels
from trivium.model import Transformer
from trivium.tasks.reading import Text, batches, read, require_head
from trivium.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Classification:
    """The best label, and the score of every label in their order: probabilities, or numbers of a regression."""

    label: str
    scores: Mapping[str, float]

    @property
    def score(self) -> float:
        """Of the best label."""
        return self.scores[self.label]

    def __str__(self) -> str:
        return f"{self.label} {self.score:.3f}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@torch.inference_mode()
def classify(
    model: Transformer, tokenizer: Tokenizer, texts: Sequence[Text], truncate: bool = False
) -> list[Classification]:
    """A classification for each text, in their order.

    Raises `UsageError` for a model without a head for it or in training mode, and for a text over the model's limit.
    """
    require_head(model, SequenceLabels, "classifies", "BertForSequenceClassification")
    task = model.architecture.task
    assert isinstance(task, SequenceLabels)
    found: dict[int, Classification] = {}
    for batch in batches(model, read(model, tokenizer, texts, truncate)):
        logits = model.task_logits(batch.input_ids, batch.documents, batch.segments).float()
        for place, row in zip(batch.places, _scores(task, logits).tolist(), strict=True):
            best = max(range(len(row)), key=row.__getitem__)
            found[place] = Classification(task.labels[best], dict(zip(task.labels, row, strict=True)))
    return [found[place] for place in range(len(texts))]


def _scores(task: SequenceLabels, logits: Tensor) -> Tensor:
    if task.problem == "regression":
        return logits
    if task.problem == "multi_label_classification" or len(task.labels) == 1:
        return logits.sigmoid()
    return logits.softmax(dim=-1)
