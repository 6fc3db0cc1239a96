"""Normalisation of a hidden state over its channels."""

__all__ = ["build_norm"]

from torch import nn

from trivium import architecture as arch


def build_norm(norm: arch.Norm | None, dim: int) -> nn.Module:
    """The module of a norm slot; an absent one is the identity."""
    match norm:
        case arch.LayerNorm(eps):
            return nn.LayerNorm(dim, eps=eps)
        case arch.RMSNorm(eps):
            return nn.RMSNorm(dim, eps=eps)
        case None:
            return nn.Identity()
