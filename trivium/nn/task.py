"""From hidden states to labels, to an answer's place, or to one vector for a text.

Letters: B rows, T tokens, D channels, L labels.
"""

__all__ = ["Pooler", "SequenceLabels", "Spans", "TokenLabels", "build_task", "pool"]

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from trivium import architecture as arch
from trivium.errors import ModelError


def pool(
    hidden: Float[Tensor, "B T D"],
    documents: Int[Tensor, "B T"] | None,
    how: arch.Pooling,
) -> Float[Tensor, "B D"]:
    """One vector a row, of its real tokens, padded on either side; a row is one text."""
    real = torch.ones_like(hidden[..., 0]) if documents is None else (documents != 0).to(hidden.dtype)
    match how:
        case "first":
            place = real.argmax(dim=1)
        case "last":
            place = real.shape[1] - 1 - real.flip(1).argmax(dim=1)
        case "mean":
            return (hidden * real[..., None]).sum(dim=1) / real.sum(dim=1, keepdim=True)
    return hidden[torch.arange(len(hidden), device=hidden.device), place]


def _at_end_token(hidden: Float[Tensor, "B T D"], input_ids: Int[Tensor, "B T"], end_id: int) -> Float[Tensor, "B D"]:
    ends = input_ids == end_id
    if not bool(ends.any(dim=1).all()):
        raise ModelError(f"This head reads a text at its end token, and a row has none: close each with id {end_id}.")
    place = ends.shape[1] - 1 - ends.flip(1).to(torch.int32).argmax(dim=1)
    return hidden[torch.arange(len(hidden), device=hidden.device), place]


class Pooler(nn.Module):
    """tanh(linear(first token)) (Devlin et al. 2019)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.transform = nn.Linear(dim, dim)

    def forward(
        self,
        hidden: Float[Tensor, "B T D"],
        documents: Int[Tensor, "B T"] | None,
        input_ids: Int[Tensor, "B T"],
    ) -> Float[Tensor, "B D"]:
        """A vector for each row."""
        return torch.tanh(self.transform(pool(hidden, documents, "first")))


class SequenceLabels(nn.Module):
    """A text's label: pooled, transformed where the family does, projected."""

    def __init__(self, task: arch.SequenceLabels, dim: int) -> None:
        super().__init__()
        self.pool = task.pool
        self.input_dropout = nn.Dropout(task.input_dropout)
        self.transform = nn.Linear(dim, dim) if task.transform else None
        self.dropout = nn.Dropout(task.dropout)
        self.projection = nn.Linear(dim, len(task.labels), bias=task.bias)

    def forward(
        self,
        hidden: Float[Tensor, "B T D"],
        documents: Int[Tensor, "B T"] | None,
        input_ids: Int[Tensor, "B T"],
    ) -> Float[Tensor, "B L"]:
        """Logits for each row. Raises `ModelError` where the head looks for an end token and there is none."""
        if isinstance(self.pool, arch.EndToken):
            x = _at_end_token(hidden, input_ids, self.pool.id)
        else:
            x = pool(hidden, documents, self.pool)
        x = self.input_dropout(x)
        if self.transform is not None:
            x = torch.tanh(self.transform(x))
        logits: Tensor = self.projection(self.dropout(x))
        return logits


class TokenLabels(nn.Module):
    """Every token's label."""

    def __init__(self, task: arch.TokenLabels, dim: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(task.dropout)
        self.projection = nn.Linear(dim, len(task.labels), bias=task.bias)

    def forward(
        self,
        hidden: Float[Tensor, "B T D"],
        documents: Int[Tensor, "B T"] | None,
        input_ids: Int[Tensor, "B T"],
    ) -> Float[Tensor, "B T L"]:
        """Logits at each token, padding included."""
        logits: Tensor = self.projection(self.dropout(hidden))
        return logits


class Spans(nn.Module):
    """How well an answer starts and ends at each token."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.projection = nn.Linear(dim, 2)

    def forward(
        self,
        hidden: Float[Tensor, "B T D"],
        documents: Int[Tensor, "B T"] | None,
        input_ids: Int[Tensor, "B T"],
    ) -> Float[Tensor, "B T 2"]:
        """Logits of start and end at each token, padding included."""
        logits: Tensor = self.projection(hidden)
        return logits


def build_task(task: arch.Task, dim: int) -> Pooler | SequenceLabels | TokenLabels | Spans:
    """The module of a task head."""
    match task:
        case arch.Pooler():
            return Pooler(dim)
        case arch.SequenceLabels():
            return SequenceLabels(task, dim)
        case arch.TokenLabels():
            return TokenLabels(task, dim)
        case arch.Spans():
            return Spans(dim)
