"""Drawing a token: reproducible, the same on every device, and whatever else is in the batch.

Letters: B rows, V vocabulary.
"""

__all__ = ["SEEDS", "draw", "row_generators"]

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

#: How many seeds there are: torch's generator on the CPU takes 32 bits of one.
SEEDS = 2**32


def row_generators(seed: int, rows: int) -> list[torch.Generator]:
    """A generator a row, seeded with `seed` + row: it draws the same whatever stands beside the row in a batch."""
    return [torch.Generator().manual_seed((seed + row) % SEEDS) for row in range(rows)]


def draw(logits: Float[Tensor, "B V"], generators: Sequence[torch.Generator]) -> Int[Tensor, "B"]:
    """A token a row, with probability softmax(logits): the first whose cumulated probability passes a uniform number.

    The number is drawn on the CPU from the row's own generator, one a token, so that a seed gives the same draws on
    every device; it is below 1 by more than float64's rounding, so that a token of probability 0 is never taken.
    """
    uniform = torch.stack([torch.rand((), generator=generator, dtype=torch.float64) for generator in generators])
    cumulated = logits.double().softmax(dim=-1).cumsum(dim=-1)
    drawn = uniform.to(logits.device)[:, None] * cumulated[:, -1:]
    tokens = torch.searchsorted(cumulated, drawn, right=True).squeeze(-1)
    return tokens.clamp(max=logits.shape[-1] - 1)  # past the end only where no probability is a number
