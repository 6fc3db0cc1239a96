"""What joins the token vectors before the first layer.

Letters: B rows, T tokens, D channels.
"""

__all__ = ["Embedding"]

from jaxtyping import Float, Int
from torch import Tensor, nn

from trivium import architecture as arch
from trivium.nn.norm import build_norm
from trivium.nn.sinusoid import Sinusoidal


class Embedding(nn.Module):
    """norm(tokens · scale + positions + segments), each where it is there."""

    def __init__(self, embedding: arch.Embedding, dim: int) -> None:
        super().__init__()
        self.scale = embedding.scale
        self.positions: nn.Embedding | Sinusoidal | None = None
        self.offset = 0
        match embedding.position:
            case arch.Learned(positions, offset):
                self.offset = offset
                self.positions = nn.Embedding(positions + offset, dim)
            case arch.Sinusoidal():
                self.positions = Sinusoidal(dim)
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
        x = tokens if self.scale == 1.0 else tokens * self.scale
        if self.positions is not None:
            x = x + self.positions(positions + self.offset).to(x.dtype)
        if self.segments is not None:
            x = x + (self.segments.weight[0] if segments is None else self.segments(segments))
        embedded: Tensor = self.dropout(self.norm(x))
        return embedded
