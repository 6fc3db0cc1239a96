"""Where a token stands in its document, and the module by which a stack's attention learns of it.

Letters: B rows, T tokens.
"""

__all__ = ["Position", "build_position", "restart_positions"]

import torch
from jaxtyping import Int
from torch import Tensor

from trivium import architecture as arch
from trivium.nn.bias import Alibi, RelativeBuckets
from trivium.nn.rotary import Rotary
from trivium.nn.sinusoid import RelativeSinusoids

#: By angles for queries and keys, by a bias on the scores, or by waves of the distance that each layer reads.
Position = Rotary | Alibi | RelativeBuckets | RelativeSinusoids


def restart_positions(documents: Int[Tensor, "B T"]) -> Int[Tensor, "B T"]:
    """Count from 0 at every change of document: 1 1 1 2 2 0 0 → 0 1 2 0 1 0 1. Left padding moves nothing."""
    index = torch.arange(documents.shape[1], device=documents.device).expand_as(documents)
    starts = torch.ones_like(documents, dtype=torch.bool)
    starts[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return index - torch.where(starts, index, 0).cummax(dim=1).values


def build_position(position: arch.Position, attention: arch.Attention, dim: int, causal: bool) -> Position:
    """The module that a stack owns for one distinct position of its layers."""
    match position:
        case arch.Rotary():
            return Rotary(position, attention.head_dim)
        case arch.Alibi():
            return Alibi(attention.heads)
        case arch.RelativeBuckets():
            return RelativeBuckets(position, attention.heads, causal)
        case arch.RelativeSinusoids():
            return RelativeSinusoids(dim)
