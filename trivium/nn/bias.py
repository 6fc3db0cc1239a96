"""Positions as a bias on the scores of attention: learned for buckets of distance, or given by ALiBi's slopes.

Letters: Q queries, K keys, H heads.
"""

__all__ = ["Alibi", "RelativeBuckets"]

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from trivium import architecture as arch


class RelativeBuckets(nn.Module):
    """A bias for every head from the bucket of the distance key − query (Raffel et al. 2020, section 2.1)."""

    def __init__(self, buckets: arch.RelativeBuckets, heads: int, causal: bool) -> None:
        super().__init__()
        self.buckets, self.max_distance, self.causal = buckets.buckets, buckets.max_distance, causal
        self.table = nn.Embedding(buckets.buckets, heads)

    def bucket(self, distance: Int[Tensor, "Q K"]) -> Int[Tensor, "Q K"]:
        """Exact buckets up to half of a side, then logarithmic ones up to `max_distance`, where the last one begins."""
        side = self.buckets if self.causal else self.buckets // 2
        offset = torch.zeros_like(distance) if self.causal else side * (distance > 0).long()
        far = (-distance).clamp(min=0) if self.causal else distance.abs()
        exact = side // 2
        ratio = torch.log(far.clamp(min=1).float() / exact) / math.log(self.max_distance / exact)
        logarithmic = (exact + (ratio * (side - exact)).long()).clamp(max=side - 1)
        return offset + torch.where(far < exact, far, logarithmic)

    def forward(self, queries: Int[Tensor, "Q"], keys: Int[Tensor, "K"]) -> Float[Tensor, "1 H Q K"]:
        """The bias of every pair of columns; distances inside a document are those of its columns."""
        bias: Tensor = self.table(self.bucket(keys[None, :] - queries[:, None]))
        return bias.permute(2, 0, 1)[None]


class Alibi(nn.Module):
    """−slope · distance, with slopes 2^(−8/H), 2^(−16/H), …, 2^(−8) (Press et al. 2022, section 3).

    Where H is no power of two: those of the next lower power, then every second one of the next higher.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def slopes(self, device: torch.device | str = "cpu") -> Float[Tensor, "H"]:
        """One for each head."""
        power = 2 ** math.floor(math.log2(self.heads))
        slopes = [2 ** (-8 * (i + 1) / power) for i in range(power)]
        between = [2 ** (-4 * (2 * i + 1) / power) for i in range(self.heads - power)]
        return torch.tensor(slopes + between, dtype=torch.float32, device=device)

    def forward(self, queries: Int[Tensor, "Q"], keys: Int[Tensor, "K"]) -> Float[Tensor, "1 H Q K"]:
        """The bias of every pair of columns, the same to both sides; 0 for a token and itself."""
        distance = (keys[None, :] - queries[:, None]).abs()
        return -(self.slopes(keys.device)[:, None, None] * distance)[None]
