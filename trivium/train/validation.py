"""Validation: the loss on text that is not trained on, in the three units people compare.

Letters: V vocabulary.
"""

__all__ = ["Validation", "validate"]

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Int
from torch import Tensor, nn

from trivium.objectives.batch import IGNORE, Batch
from trivium.train.loss import LossFn


@dataclass(frozen=True)
class Validation:
    """A mean loss in nats per target, and over what: so many targets, that stand for so many UTF-8 `bytes` of text."""

    loss: float
    targets: int
    bytes: int | None = None

    @property
    def perplexity(self) -> float:
        """exp(loss): among how many equally likely tokens the model hesitates."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_byte(self) -> float | None:
        """Loss over all targets in bits, a byte of their text: comparable between tokenizers. None without `bytes`."""
        return self.loss * self.targets / self.bytes / math.log(2) if self.bytes else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with all three units."""
        units = {"loss": self.loss, "perplexity": self.perplexity, "bits_per_byte": self.bits_per_byte}
        return {**units, "targets": self.targets, "bytes": self.bytes}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Validation":
        """The validation that `to_dict` gave."""
        return cls(values["loss"], values["targets"], values["bytes"])


@torch.no_grad()
def validate(
    model: nn.Module,
    batches: Iterable[Batch],
    loss_fn: LossFn,
    token_bytes: Int[Tensor, "V"] | None = None,
    of: Literal["language", "task"] = "language",
) -> Validation:
    """The loss over `batches`, weighted by targets, in evaluation mode (no dropout).

    Of the language alone the labels are left out; a task's loss is of them. `token_bytes` gives the UTF-8 bytes of text
    that each token stands for; bits per byte need it.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    loss, targets, text_bytes = 0.0, 0, 0
    for batch in batches:
        part = loss_fn(model, (replace(batch, labels=None) if of == "language" else batch).to(device))
        loss, targets = loss + float(part.loss_sum), targets + part.targets
        if token_bytes is not None:
            text_bytes += int(token_bytes[batch.targets[batch.targets != IGNORE].cpu()].sum())
    model.train(was_training)
    return Validation(loss / max(1, targets), targets, text_bytes if token_bytes is not None else None)
