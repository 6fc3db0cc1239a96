"""Attention over the same stack, or over an encoder's memory.

Letters: B rows, T queries, M memory tokens, K keys, D channels, H heads, G key-value heads, E channels of a head.
"""

__all__ = ["Attention", "Relation", "attend"]

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from trivium import architecture as arch
from trivium.nn.cache import LayerCache
from trivium.nn.mask import Mask
from trivium.nn.rotary import Angles, rotate
from trivium.nn.sinusoid import DistanceScores

#: What a layer is told of positions beside the mask: angles for `rotate`, waves for `DistanceScores`, or nothing.
Relation = Angles | Tensor | None


def attend(
    queries: Float[Tensor, "B H T E"],
    keys: Float[Tensor, "B G K E"],
    values: Float[Tensor, "B G K E"],
    mask: Mask,
    scale: float,
    dropout: float = 0.0,
) -> Float[Tensor, "B H T E"]:
    """softmax(Q Kᵀ · scale + mask) V; H/G queries share each key-value head."""
    grouped = queries.shape[1] != keys.shape[1]
    lone = queries.shape[2] == 1 and queries.device.type == "cpu" and queries.dtype == torch.float32
    if lone and grouped and dropout == 0.0:
        return _attend_one(queries, keys, values, mask, scale)
    return F.scaled_dot_product_attention(
        queries,
        keys,
        values,
        attn_mask=mask.allowed,
        is_causal=mask.causal,
        scale=scale,
        dropout_p=dropout,
        enable_gqa=grouped,
    )


def _attend_one(queries: Tensor, keys: Tensor, values: Tensor, mask: Mask, scale: float) -> Tensor:
    # One query a row in float32 on a CPU: the queries of a group stand beside each other as rows of one product, which
    # beats the fused kernel. Without groups, or in bfloat16, the kernel is faster (docs/LOG.md).
    rows, heads, _, size = queries.shape
    groups = keys.shape[1]
    scores = (queries.view(rows, groups, heads // groups, size) * scale) @ keys.transpose(-1, -2)
    if mask.allowed is not None:
        if mask.allowed.is_floating_point():
            bias = mask.allowed.expand(-1, heads, -1, -1)
            scores = scores + bias.reshape(-1, groups, heads // groups, bias.shape[-1])
        else:
            scores = scores.masked_fill(~mask.allowed, float("-inf"))
    return (scores.softmax(dim=-1) @ values).view(rows, heads, 1, size)


class Attention(nn.Module):
    """Project, split into heads, attend, join, project (Vaswani et al. 2017, section 3.2).

    With `by_distance` it has Transformer-XL's own reading of the distance.
    """

    def __init__(self, attention: arch.Attention, dim: int, dropout: float = 0.0, by_distance: bool = False) -> None:
        super().__init__()
        self.heads, self.groups = attention.heads, attention.key_value_heads
        self.scale = attention.head_dim**-0.5 if attention.scale is None else attention.scale
        self.dropout = dropout
        self.query = nn.Linear(dim, attention.query_dim, bias=attention.qkv_bias)
        self.key = nn.Linear(dim, attention.key_value_dim, bias=attention.qkv_bias)
        self.value = nn.Linear(dim, attention.key_value_dim, bias=attention.qkv_bias)
        self.output = nn.Linear(attention.query_dim, dim, bias=attention.out_bias)
        self.distances = DistanceScores(dim, self.heads, attention.head_dim) if by_distance else None

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        mask: Mask,
        relation: Relation = None,
        cache: LayerCache | None = None,
        start: int = 0,
    ) -> Float[Tensor, "B T D"]:
        """Attend to the same stack; with a cache, also to what it holds. These tokens are written at `start`."""
        queries = self._split(self.query(x), self.heads)
        keys = self._split(self.key(x), self.groups)
        values = self._split(self.value(x), self.groups)
        if isinstance(relation, tuple):
            queries, keys = rotate(queries, relation), rotate(keys, relation)
        elif self.distances is not None:
            assert relation is not None
            queries, mask = self.distances(queries, relation, mask, self.scale)
        if cache is not None:
            keys, values = cache.append(start, keys, values)
        return self._join(queries, keys, values, mask)

    def over(
        self,
        memory: Float[Tensor, "B M D"],
        x: Float[Tensor, "B T D"],
        mask: Mask,
        cache: LayerCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Attend to an encoder's memory, whose keys and values a cache keeps after the first call."""
        queries = self._split(self.query(x), self.heads)
        if cache is not None and cache.cross is not None:
            keys, values = cache.cross
        else:
            keys, values = self._split(self.key(memory), self.groups), self._split(self.value(memory), self.groups)
            if cache is not None:
                # As views of a transposed product they would be copied at every step.
                cache.cross = (keys.contiguous(), values.contiguous())
        return self._join(queries, keys, values, mask)

    def _split(self, x: Tensor, heads: int) -> Tensor:
        return x.view(*x.shape[:-1], heads, -1).transpose(1, 2)

    def _join(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Mask) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        mixed = attend(queries, keys, values, mask, self.scale, dropout)
        joined: Tensor = self.output(mixed.transpose(1, 2).flatten(-2))
        return joined
