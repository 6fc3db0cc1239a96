"""Rotary positions: queries and keys turned by an angle that grows with their position.

Letters: B rows, T tokens, H heads, E channels of a head.
"""

__all__ = ["Angles", "Rotary", "rotate"]

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from trivium import architecture as arch

#: The cosines and sines of the tokens, as `Rotary` makes them.
Angles = tuple[Tensor, Tensor]


class Rotary(nn.Module):
    """Angles position · theta^(−2i/E), i < E/2, as cosines and sines (Su et al. 2021, equation 15)."""

    def __init__(self, rotary: arch.Rotary, head_dim: int) -> None:
        super().__init__()
        self.theta, self.head_dim, self.scaling = rotary.theta, head_dim, rotary.scaling

    def frequencies(self, device: torch.device | str = "cpu") -> Float[Tensor, "half"]:
        """Radians a position, for each pair of channels, stretched where the model asks for it."""
        exponent = torch.arange(0, self.head_dim, 2, dtype=torch.float32, device=device) / self.head_dim
        plain = self.theta**-exponent
        match self.scaling:
            case None:
                return plain
            case arch.LinearScaling(factor):
                return plain / factor
            case arch.LlamaScaling(factor, low, high, original):
                periods = original * plain / (2 * math.pi)
                kept = ((periods - low) / (high - low)).clamp(0, 1)
                return plain * (kept + (1 - kept) / factor)

    def forward(self, positions: Int[Tensor, "B T"]) -> tuple[Float[Tensor, "B 1 T E"], Float[Tensor, "B 1 T E"]]:
        """The cosines and sines that `rotate` takes; computed in float32 whatever the model's precision."""
        # Not kept as a buffer, which would be rounded with the weights of a model that is cast.
        angles = positions[:, None, :, None].float() * self.frequencies(positions.device)
        doubled = torch.cat((angles, angles), dim=-1)
        return doubled.cos(), doubled.sin()


def rotate(
    x: Float[Tensor, "B H T E"], angles: tuple[Float[Tensor, "b 1 T E"], Float[Tensor, "b 1 T E"]]
) -> Float[Tensor, "B H T E"]:
    """Turn channel i with channel i + E/2 (the pairing of LLaMA's published weights): x·cos + (−x₂, x₁)·sin."""
    cos, sin = (angle.to(x.dtype) for angle in angles)
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
