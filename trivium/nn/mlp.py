"""The multilayer perceptron of a layer, plain or gated.

Letters: D channels, H hidden channels.
"""

__all__ = ["MLP", "activate"]

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from trivium import architecture as arch


def activate(x: Float[Tensor, "*rest C"], activation: arch.Activation) -> Float[Tensor, "*rest C"]:
    """Apply an activation as one fused operation."""
    match activation:
        case "relu":
            return F.relu(x)
        case "gelu":
            return F.gelu(x)
        case "gelu_tanh":
            return F.gelu(x, approximate="tanh")
        case "silu":
            return F.silu(x)


class MLP(nn.Module):
    """down(act(up(x))), or down(act(gate(x)) · up(x)) when gated (Shazeer 2020, section 2)."""

    def __init__(self, mlp: arch.MLP, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.activation: arch.Activation = mlp.activation
        self.up = nn.Linear(dim, mlp.hidden, bias=mlp.bias)
        self.gate = nn.Linear(dim, mlp.hidden, bias=mlp.bias) if mlp.gated else None
        self.down = nn.Linear(mlp.hidden, dim, bias=mlp.bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "*rest D"]) -> Float[Tensor, "*rest D"]:
        """Each position by itself."""
        if self.gate is None:
            hidden = activate(self.up(x), self.activation)
        else:
            hidden = activate(self.gate(x), self.activation) * self.up(x)
        down: Tensor = self.down(self.dropout(hidden))
        return down
