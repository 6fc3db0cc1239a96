"""The loss of a language model: cross-entropy in nats, summed over the positions that have a target.

A loss function takes a model and a batch and returns a `LossSum`: the sum and how many targets it is over. The loop
divides by the targets of the whole step, so that how rows are packed or cut into micro-batches changes nothing.

Letters: B rows, T positions of the input, U positions where the head may speak, D width of the model, N positions with
a target, V vocabulary.
"""

__all__ = ["LossFn", "LossSum", "cross_entropy_in_place", "head_loss"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from trivium.errors import TrainingError
from trivium.objectives.batch import IGNORE, Batch


@dataclass(frozen=True)
class LossSum:
    """A loss summed over its targets, in nats: `loss_sum / targets` is the mean."""

    loss_sum: Float[Tensor, ""]
    targets: int


LossFn = Callable[[nn.Module, Batch], LossSum]


def head_loss(model: nn.Module, batch: Batch) -> LossSum:
    """The loss of `batch.targets` under any model with `hidden(...)` and `head`.

    The vocabulary head runs only where there is a target: it is the widest matrix of a small model, and a masked
    objective asks it at 15 % of the positions. Works with gradients and without, with autocast and without.

    Where the rows have labels, the mean is that of the targets plus that of the labels (Devlin et al. 2019, appendix
    A.2), of one pass: the labels' mean is added once for each target, so that `loss_sum / targets` is the sum of both.
    Over the micro-batches of a step their means are then weighted by targets. A batch with labels and a model without
    a task head raise `TrainingError`.
    """
    assert callable(model.hidden)
    assert callable(model.head)
    hidden: Float[Tensor, "B U D"] = model.hidden(
        batch.input_ids,
        batch.documents,
        batch.decoder_input_ids,
        batch.decoder_documents,
        batch.segments,
        batch.prefix,
    )
    targets = batch.targets.flatten()
    rows = hidden.flatten(0, 1)
    positions = (targets != IGNORE).nonzero().squeeze(1)
    if len(positions) < len(targets):
        targets, rows = targets[positions], rows.index_select(0, positions)
    loss_sum = cross_entropy_in_place(model.head(rows), targets)
    if batch.labels is not None:
        loss_sum = loss_sum + len(positions) * _label_loss(model, batch, hidden)
    return LossSum(loss_sum, len(positions))


def _label_loss(model: nn.Module, batch: Batch, hidden: Float[Tensor, "B T D"]) -> Float[Tensor, ""]:
    """The mean loss of the rows that have a label; 0 where none has."""
    task = getattr(model, "task", None)
    if not callable(task):
        raise TrainingError(
            "The rows have labels, and the model has no task head to say them. Build its architecture with one "
            "(`trivium.families.pre_training`), or train it on an objective without labels, such as masked."
        )
    assert batch.labels is not None
    logits: Float[Tensor, "B L"] = task(hidden, batch.documents, batch.input_ids)
    labelled = (batch.labels != IGNORE).sum().clamp(min=1)
    return F.cross_entropy(logits.float(), batch.labels, ignore_index=IGNORE, reduction="sum") / labelled


def cross_entropy_in_place(logits: Float[Tensor, "N V"], targets: Int[Tensor, "N"]) -> Float[Tensor, ""]:
    """Cross-entropy summed over N rows, `sum_n logsumexp_v(x_nv) - x_n,target(n)`, in the memory of the logits.

    The logits are overwritten, with the gradient `softmax(x_n) - onehot(target(n))` that the backward pass returns: no
    second buffer of N x V is ever made. Equal to `F.cross_entropy(..., reduction="sum")` in value and gradient; the
    arithmetic is float32 also where the logits are bfloat16.
    """
    loss: Tensor = _CrossEntropy.apply(logits, targets)  # type: ignore[no-untyped-call]
    return loss


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        loss = _gradient_over_logits(logits, targets)
        ctx.save_for_backward(logits)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, loss_gradient: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        # On a GPU the comparison would wait for the device, and the multiplication is cheap there.
        if gradient.is_cuda or loss_gradient.item() != 1:
            gradient.mul_(loss_gradient)
        return gradient, None


def _gradient_over_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """Overwrite the logits with the gradient of the summed loss, and return the loss.

    Goes by blocks of rows that stay in a processor's cache. With top = max(x), the largest probability is
    exp(top) / sum(exp(x)), so that logsumexp(x) = top - log(max(softmax(x))): exact even where the target's own
    probability underflows.
    """
    block_rows = max(1, (2**26 if logits.is_cuda else 2**20) // max(1, logits.shape[1]))
    accurate = torch.float64 if logits.dtype == torch.float64 else torch.float32
    loss = torch.zeros((), dtype=accurate, device=logits.device)
    for block, block_targets in zip(torch.split(logits, block_rows), torch.split(targets, block_rows), strict=True):
        work = block.to(accurate)  # the block itself where it already has that type
        index = block_targets[:, None]
        chosen, top = work.gather(1, index), work.amax(1, keepdim=True)
        torch.softmax(work, 1, out=work)
        loss += (top - work.amax(1, keepdim=True).log() - chosen).sum()
        work.scatter_add_(1, index, torch.full_like(chosen, -1))
        if work is not block:
            block.copy_(work)
    return loss
