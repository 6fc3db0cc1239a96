"""What joins the token vectors before the first layer.

Letters: B rows, T tokens, D channels.
"""

__all__ = ["Embedding"]

from jaxtyping import Float, Int
from torch import Tensor, nn

from trivium import architecture as arch
from trivium.nn.norm import build_norm


class Embedding(nn.Module):
    """norm(tokens + positions + segments), each where it is there."""

    def __init__(self, embedding: arch.Embedding, dim: int) -> None:
        super().__init__()
        self.positions: nn.Embedding | None = None
        self.offset = 0
        if embedding.position is not None:
            self.offset = embedding.position.offset
            self.positions = nn.Embedding(embedding.position.positions + self.offset, dim)
        self.segments = nn.Embedding(embedding.segments, dim) if embedding.segments else None
        self.norm = build_norm(embedding.norm, dim)
        self.dropout = nn.Dropout(embedding.dropout)

    def forward(
        self,
        tokens: Float[Tensor, "B T D"],
        positions: Int[Tensor, "b T"],
        segments: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Without `segments`, every token is of the first."""
        x = tokens
        if self.positions is not None:
            x = x + self.positions(positions + self.offset)
        if self.segments is not None:
            x = x + (self.segments.weight[0] if segments is None else self.segments(segments))
        embedded: Tensor = self.dropout(self.norm(x))
        return embedded
