"""Who may look at whom.

    documents   1 1 1 2 2 0          0 is padding; equal numbers see each other
    causal      1 × × × × ×          ... and the past only, where the stack is causal
                1 1 × × × ×
                1 1 1 × × ×
                × × × 1 × ×
                × × × 1 1 ×
                × × × × × 1          padding sees padding, so that no row of the softmax is empty

Letters: B rows, H heads, Q queries, K keys.
"""

__all__ = ["Mask", "cross_mask", "self_mask"]

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Mask:
    """What attention is told: nothing, `causal` alone (the fast path), or a matrix.

    `allowed` is boolean, or floating where a bias is added to the scores, with −inf where looking is forbidden.
    """

    causal: bool = False
    allowed: Bool[Tensor, "B 1 Q K"] | Float[Tensor, "b H Q K"] | None = None

    def with_bias(self, bias: Float[Tensor, "b H Q K"]) -> "Mask":
        """The same mask with a bias on the scores."""
        allowed = self.allowed
        if self.causal:
            queries, keys = bias.shape[-2:]
            allowed = _lower_triangle(queries, keys - queries, bias.device)[None, None]
        if allowed is None:
            return Mask(allowed=bias)
        return Mask(allowed=bias.masked_fill(~allowed, float("-inf")))


def self_mask(
    queries: Int[Tensor, "B Q"] | None,
    keys: Int[Tensor, "B K"] | None,
    past: int,
    new: int,
    causal: bool,
    device: torch.device,
    window: int | None = None,
    prefix: Bool[Tensor, "B Q"] | None = None,
) -> Mask:
    """Of `new` queries that stand after `past` keys of the same stack. No matrix is made where none is needed.

    With a `window`, keys at that distance and beyond are out of sight. In a causal stack, the tokens of a `prefix` see
    each other in both directions (Raffel et al. 2020, figure 3, "causal with prefix").
    """
    if prefix is not None:
        assert causal, "a stack that is not causal sees both directions anyway"
        assert past == 0, "a prefix is read whole, at the first call"
        seen = _lower_triangle(new, 0, device) | (prefix[:, :, None] & prefix[:, None, :])
        if queries is not None and keys is not None:
            seen = seen & (queries[:, :, None] == keys[:, None, :])
        if window is not None:
            seen = seen & _band(new, 0, window, device)
        return Mask(allowed=seen[:, None])
    if window is not None and past + new > window:
        near = _band(new, past, window, device)[None]
        if queries is not None and keys is not None:
            near = near & (queries[:, :, None] == keys[:, None, :])
        if causal:
            near = near & _lower_triangle(new, past, device)
        return Mask(allowed=near[:, None])
    if queries is None or keys is None:
        if not causal or new == 1:
            return Mask()
        if past == 0:
            return Mask(causal=True)
        return Mask(allowed=_lower_triangle(new, past, device)[None, None])
    allowed = queries[:, :, None] == keys[:, None, :]
    if causal:
        allowed = allowed & _lower_triangle(new, past, device)
    return Mask(allowed=allowed[:, None])


def cross_mask(queries: Int[Tensor, "B Q"] | None, memory: Int[Tensor, "B K"] | None, tokens: int) -> Mask:
    """Of a decoder's `tokens` queries over the encoder's memory: equal document numbers; a padded query sees all."""
    if memory is None:
        return Mask()
    if queries is None:
        queries = memory.new_ones(memory.shape[0], tokens)
    seen = (queries[:, :, None] == memory[:, None, :]) | (queries[:, :, None] == 0)
    return Mask(allowed=seen[:, None])


def _lower_triangle(new: int, past: int, device: torch.device) -> Tensor:
    return torch.ones(new, past + new, dtype=torch.bool, device=device).tril(past)


def _band(new: int, past: int, window: int, device: torch.device) -> Tensor:
    return torch.ones(new, past + new, dtype=torch.bool, device=device).tril(past + window - 1).triu(past - window + 1)
