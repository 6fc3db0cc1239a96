"""The loss of a task head, summed over texts: what it says of each text against the label that the batch has for it.

Letters: B rows, T positions, N texts (several where a row holds several), L labels, D channels, t the longest text.
"""

__all__ = ["Contrastive", "class_loss", "contrastive_loss", "label_loss", "number_loss", "task_logits", "unpacked"]

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from trivium.architecture import Pooling
from trivium.errors import TrainingError
from trivium.model import Transformer
from trivium.nn.task import pool
from trivium.objectives.batch import PADDING, Batch
from trivium.train.loss import LossFn, LossSum


def class_loss(weights: tuple[float, ...] | None = None) -> LossFn:
    """Cross-entropy of one class of several, w_c · -log softmax(logits)_c, with c each text's class; w is 1 without
    `weights`, which rare classes have larger ones of. The sum is divided by the texts, not by their weights.
    """

    def loss(model: nn.Module, batch: Batch) -> LossSum:
        logits, labels = task_logits(model, batch), _labels(batch)
        weight = None if weights is None else torch.tensor(weights, device=logits.device)
        return LossSum(F.cross_entropy(logits.float(), labels, weight, reduction="sum"), len(labels))

    return loss


def label_loss(weights: tuple[float, ...] | None = None) -> LossFn:
    """Binary cross-entropy of any labels of several, the mean over the labels, as `BCEWithLogitsLoss` has it.

    `weights` are of the labels that hold (`pos_weight`): rare ones have larger ones.
    """

    def loss(model: nn.Module, batch: Batch) -> LossSum:
        logits, labels = task_logits(model, batch), _labels(batch)
        weight = None if weights is None else torch.tensor(weights, device=logits.device)
        loss_sum = F.binary_cross_entropy_with_logits(
            logits.float(), labels.float(), pos_weight=weight, reduction="sum"
        )
        return LossSum(loss_sum / logits.shape[1], len(labels))

    return loss


def number_loss(model: nn.Module, batch: Batch) -> LossSum:
    """The squared error of a number."""
    logits, labels = task_logits(model, batch), _labels(batch)
    return LossSum(F.mse_loss(logits[:, 0].float(), labels.float(), reduction="sum"), len(labels))


@dataclass(frozen=True)
class Contrastive:
    """Which hidden states make a text's vector, and by what cosines are multiplied before the softmax."""

    pooling: Pooling = "mean"
    scale: float = 20.0


def contrastive_loss(how: Contrastive) -> LossFn:
    """In-batch contrast: each source must find its target among all targets of the batch (Henderson et al. 2017).

    -log softmax_j(scale · cos(a_i, b_j))_i summed over the pairs i. A row holds two texts or more: a source and its
    target, alternately. Equal targets of other pairs are not set against a source.
    """

    def loss(model: nn.Module, batch: Batch) -> LossSum:
        assert isinstance(model, Transformer)
        assert batch.documents is not None, "a row holds a source and its target"
        if model.encoder is not None:
            hidden = model.encode(batch.input_ids, batch.documents, batch.segments)
        else:
            hidden = model.decode(batch.input_ids, batch.documents)
        texts, documents, ids = unpacked(hidden, batch.documents, batch.input_ids)
        vectors = F.normalize(pool(texts.float(), documents, how.pooling), dim=-1)
        cosines = how.scale * vectors[0::2] @ vectors[1::2].T
        targets = ids[1::2]
        same = (targets[:, None] == targets[None, :]).all(dim=-1)
        same.fill_diagonal_(False)
        pairs = torch.arange(len(cosines), device=cosines.device)
        return LossSum(F.cross_entropy(cosines.masked_fill(same, -torch.inf), pairs, reduction="sum"), len(cosines))

    return loss


def task_logits(model: nn.Module, batch: Batch) -> Float[Tensor, "N *rest"]:
    """What the task head says of each text, one after another where a row holds several.

    The body reads the rows as they are; what it says of each text is then laid out in a row of its own for the head.
    Heads that speak at every token give (N, t, ...). Raises `TrainingError` for a model without a task head.
    """
    if not isinstance(model, Transformer) or model.task is None:
        raise TrainingError("The rows have labels, and the model has no task head to say them: give it one.")
    hidden = model.task_hidden(batch.input_ids, batch.documents, batch.segments)
    documents, ids = batch.documents, batch.input_ids
    if documents is not None and batch.labels is not None and len(batch.labels) > len(ids):
        hidden, documents, ids = unpacked(hidden, documents, ids)
    logits: Tensor = model.task(hidden, documents, ids)
    return logits


def unpacked(
    hidden: Float[Tensor, "B T D"], documents: Int[Tensor, "B T"], input_ids: Int[Tensor, "B T"]
) -> tuple[Float[Tensor, "N t D"], Int[Tensor, "N t"], Int[Tensor, "N t"]]:
    """Hidden states, documents (1, or 0 on padding) and ids with a row for each text; padding is on the right."""
    real = documents != PADDING
    before = F.pad(documents, (1, 0))[:, :-1]
    begins = real & (documents != before)
    begins[:, 0] = real[:, 0]
    text = begins.flatten().cumsum(0)[real.flatten()] - 1
    lengths = torch.bincount(text)
    first = torch.cumsum(lengths, 0) - lengths
    place = torch.arange(len(text), device=text.device) - first[text]
    shape = (len(lengths), int(lengths.max()))
    states = hidden.new_zeros(*shape, hidden.shape[-1]).index_put((text, place), hidden[real])
    numbers = documents.new_zeros(shape).index_put((text, place), documents.new_ones(len(text)))
    ids = input_ids.new_zeros(shape).index_put((text, place), input_ids[real])
    return states, numbers, ids


def _labels(batch: Batch) -> Tensor:
    if batch.labels is None:
        raise TrainingError("The batch has no labels, and the loss is of labels: give each row one.")
    return batch.labels
