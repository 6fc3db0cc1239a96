"""Activation checkpointing: a block's activations are thrown away after the forward pass and made again when needed.

Memory for one block's activations instead of all of them, for one more forward pass: a third more arithmetic (Chen et
al. 2016, "Training deep nets with sublinear memory cost", with one segment a block). It edits a finished model from
outside; no block knows of it, and no weight changes its name.
"""

__all__ = ["recompute_blocks"]

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

from trivium.nn.block import Block


def recompute_blocks(model: nn.Module) -> int:
    """Recompute every block of `model` in the backward pass, and return how many blocks that are.

    Gradients are equal to those without, also with dropout: the random state of the forward pass is restored. Calling
    it again changes nothing.
    """
    blocks = [module for module in model.modules() if isinstance(module, Block)]
    for block in blocks:
        if not isinstance(block.forward, _Recomputed):
            block.forward = _Recomputed(block.forward)  # type: ignore[method-assign]
    return len(blocks)


class _Recomputed:
    """A forward pass that keeps only its inputs when a gradient will be wanted."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        self.forward = forward

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        return checkpoint(self.forward, *inputs, use_reentrant=False, **named)
