"""Positions as sines and cosines: added to the tokens (2017), or read as distances by attention (Transformer-XL).

Letters: B rows, T queries, K keys and as many distances, D channels, H heads, E channels of a head.
"""

__all__ = ["DistanceScores", "RelativeSinusoids", "Sinusoidal"]

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from trivium.nn.mask import Mask

_SLOWEST = 10_000.0


def _angles(positions: Int[Tensor, "*rest"], dim: int) -> Float[Tensor, "*rest half"]:
    exponent = torch.arange(0, dim, 2, dtype=torch.float32, device=positions.device) / dim
    return positions[..., None].float() * _SLOWEST**-exponent


class Sinusoidal(nn.Module):
    """sin(p / 10000^(2i/D)) in channel 2i, the cosine in channel 2i + 1 (Vaswani et al. 2017, section 3.5)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, positions: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """What is added to the tokens, in float32."""
        angles = _angles(positions, self.dim)
        return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)[..., : self.dim]


class RelativeSinusoids(nn.Module):
    """r(0), r(1), …: the waves of every distance into the past, sines first, then cosines (Dai et al. 2019)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, keys: Int[Tensor, "K"]) -> Float[Tensor, "K D"]:
        """One row a distance from 0, as many as there are keys; in float32."""
        angles = _angles(torch.arange(len(keys), device=keys.device), self.dim)
        return torch.cat((angles.sin(), angles.cos()), dim=-1)[:, : self.dim]


class DistanceScores(nn.Module):
    """The part of a score that knows the distance: (q + u)·k + (q + v)·W r(i − j) (Dai et al. 2019, section 3.3)."""

    def __init__(self, dim: int, heads: int, head_dim: int) -> None:
        super().__init__()
        self.projection = nn.Linear(dim, heads * head_dim, bias=False)
        self.content = nn.Parameter(torch.zeros(heads, 1, head_dim))
        self.distance = nn.Parameter(torch.zeros(heads, 1, head_dim))

    def forward(
        self, queries: Float[Tensor, "B H T E"], waves: Float[Tensor, "K D"], mask: Mask, scale: float
    ) -> tuple[Float[Tensor, "B H T E"], Mask]:
        """Q + u, and the mask with the scaled second term as its bias. The queries are the last T of the K columns."""
        heads, size = self.content.shape[0], self.content.shape[-1]
        keys, new = len(waves), queries.shape[2]
        read = self.projection(waves.to(queries.dtype)).view(keys, heads, size)
        of_distance = (queries + self.distance) @ read.permute(1, 2, 0)
        columns = torch.arange(keys, device=waves.device)
        distance = (columns[keys - new :, None] - columns[None, :]).clamp(min=0)
        bias = of_distance.gather(-1, distance.expand(*of_distance.shape[:2], new, keys))
        return queries + self.content, mask.with_bias(bias * scale)
