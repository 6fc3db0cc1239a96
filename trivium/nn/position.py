"""Positions: where a token stands in its document, and the two ways in which attention learns of it.

Letters: B rows, T tokens, Q queries, K keys, H heads, E channels of a head.
"""

__all__ = ["RelativeBuckets", "Rotary", "build_position", "restart_positions", "rotate"]

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from trivium import architecture as arch


def restart_positions(documents: Int[Tensor, "B T"]) -> Int[Tensor, "B T"]:
    """Count from 0 at every change of document: 1 1 1 2 2 0 0 → 0 1 2 0 1 0 1. Left padding moves nothing."""
    index = torch.arange(documents.shape[1], device=documents.device).expand_as(documents)
    starts = torch.ones_like(documents, dtype=torch.bool)
    starts[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return index - torch.where(starts, index, 0).cummax(dim=1).values


class Rotary(nn.Module):
    """Angles position · theta^(−2i/E), i < E/2, as cosines and sines (Su et al. 2021, equation 15)."""

    def __init__(self, rotary: arch.Rotary, head_dim: int) -> None:
        super().__init__()
        self.theta, self.head_dim = rotary.theta, head_dim

    def forward(self, positions: Int[Tensor, "B T"]) -> tuple[Float[Tensor, "B 1 T E"], Float[Tensor, "B 1 T E"]]:
        """The cosines and sines that `rotate` takes; computed in float32 whatever the model's precision."""
        # Not kept as a buffer, which would be rounded with the weights of a model that is cast.
        exponent = torch.arange(0, self.head_dim, 2, dtype=torch.float32, device=positions.device) / self.head_dim
        angles = positions[:, None, :, None].float() * self.theta**-exponent
        doubled = torch.cat((angles, angles), dim=-1)
        return doubled.cos(), doubled.sin()


def rotate(
    x: Float[Tensor, "B H T E"], angles: tuple[Float[Tensor, "b 1 T E"], Float[Tensor, "b 1 T E"]]
) -> Float[Tensor, "B H T E"]:
    """Turn channel i with channel i + E/2 (the pairing of LLaMA's published weights): x·cos + (−x₂, x₁)·sin."""
    cos, sin = (angle.to(x.dtype) for angle in angles)
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


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


def build_position(position: arch.Position, layer: arch.Layer, causal: bool) -> nn.Module:
    """The module that a stack owns for one distinct position of its layers."""
    match position:
        case arch.Rotary():
            return Rotary(position, layer.attention.head_dim)
        case arch.RelativeBuckets():
            return RelativeBuckets(position, layer.attention.heads, causal)
