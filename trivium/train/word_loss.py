"""The losses of tasks that ask at tokens: a label at some of them, and which of them begins and ends an answer.

Both read a batch of packed or of padded rows alike: `batch.documents` says which tokens are of one text.

Letters: B rows, T tokens of a row, L labels, N texts, n tokens of all texts, c columns.
"""

__all__ = ["span_loss", "tag_loss"]

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from trivium.objectives.batch import IGNORE, PADDING, Batch
from trivium.train.loss import LossFn, LossSum


def tag_loss(weights: tuple[float, ...] | None = None) -> LossFn:
    """Cross-entropy of the labels at the tokens that are asked, w_c · -log softmax(logits)_c, summed over them.

    `batch.targets` are label ids, or IGNORE. w is 1 without `weights`, one a label; the sum is divided by the tokens
    that are asked, not by their weights.
    """

    def loss(model: nn.Module, batch: Batch) -> LossSum:
        logits: Float[Tensor, "B T L"] = _task_logits(model, batch)
        asked = batch.targets != IGNORE
        weight = None if weights is None else torch.tensor(weights, device=logits.device)
        loss_sum = F.cross_entropy(logits[asked].float(), batch.targets[asked], weight, reduction="sum")
        return LossSum(loss_sum, int(asked.sum()))

    return loss


def span_loss(model: nn.Module, batch: Batch) -> LossSum:
    """(-log p(first) - log p(last)) / 2 summed over texts; both softmaxes run over all tokens of the text.

    `transformers` also runs them over padding; without padding the two are equal. `batch.labels` are (first, last) of
    each text, counted from where it begins.
    """
    assert batch.labels is not None, "an answer's place is asked of every text"
    logits: Float[Tensor, "B T 2"] = _task_logits(model, batch)
    texts, lengths = _texts(batch)
    flat = logits.flatten(0, 1) if batch.documents is None else logits[batch.documents != PADDING]
    flat = flat.float()
    edges = (lengths.cumsum(0) - lengths)[:, None] + batch.labels
    said = flat.gather(0, edges)  # column 0 at first tokens, column 1 at last ones
    return LossSum((_log_sum_exp(flat, texts, len(lengths)) - said).sum() / 2, len(lengths))


def _task_logits(model: nn.Module, batch: Batch) -> Tensor:
    assert callable(model.task_logits)
    logits: Tensor = model.task_logits(batch.input_ids, batch.documents, batch.segments)
    return logits


def _texts(batch: Batch) -> tuple[Int[Tensor, "n"], Int[Tensor, "N"]]:
    """The number of each real token's text, row by row from 0, and how many tokens each text has."""
    rows, columns = batch.input_ids.shape
    documents = torch.ones_like(batch.input_ids) if batch.documents is None else batch.documents
    numbers = documents + torch.arange(rows, device=documents.device)[:, None] * (columns + 1)
    _, texts, lengths = torch.unique(numbers[documents != PADDING], return_inverse=True, return_counts=True)
    return texts, lengths


def _log_sum_exp(values: Float[Tensor, "n c"], groups: Int[Tensor, "n"], number: int) -> Float[Tensor, "N c"]:
    """log(sum(exp)) over the values of each group."""
    index = groups[:, None].expand_as(values)
    empty = values.new_zeros(number, values.shape[1])
    top = empty.scatter_reduce(0, index, values.detach(), "amax", include_self=False)
    return empty.scatter_add(0, index, (values - top[groups]).exp()).log() + top
