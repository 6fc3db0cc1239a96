"""Low-rank adaptation: y = W x + (alpha / rank) · B A dropout(x), with W frozen (Hu et al. 2021, section 4.1).

Letters: I input channels, O output channels, R rank.
"""

__all__ = ["LoraLinear", "add_lora"]

import math

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from trivium.adapt.lora import Lora
from trivium.errors import UsageError


class LoraLinear(nn.Module):
    """A frozen linear layer with an update of low rank. B starts at zero, so that it starts as the layer it was."""

    def __init__(self, linear: nn.Linear, lora: Lora) -> None:
        super().__init__()
        made = {"device": linear.weight.device, "dtype": linear.weight.dtype}
        self.base = linear
        self.scale = lora.alpha / lora.rank
        self.dropout = nn.Dropout(lora.dropout)
        self.down = nn.Linear(linear.in_features, lora.rank, bias=False, **made)
        self.up = nn.Linear(lora.rank, linear.out_features, bias=False, **made)
        if not linear.weight.is_meta:
            nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
            nn.init.zeros_(self.up.weight)

    def forward(self, x: Float[Tensor, "*rest I"]) -> Float[Tensor, "*rest O"]:
        """The layer's output and the update's."""
        update = F.linear(F.linear(self.dropout(x), self.down.weight), self.up.weight)
        out: Tensor = self.base(x) + update * self.scale
        return out


def add_lora(model: nn.Module, lora: Lora) -> int:
    """Freeze every weight of `model`, put an update beside each matching linear layer, and return how many.

    Raises `UsageError` where no layer matches.
    """
    named = dict(model.named_modules())
    chosen = {name: module for name, module in named.items() if isinstance(module, nn.Linear) and lora.matches(name)}
    if not chosen:
        linears = [name for name, module in named.items() if isinstance(module, nn.Linear)]
        raise UsageError(
            f"No linear layer is named by {', '.join(lora.targets)}. Patterns match whole names, such as "
            f"{', '.join(linears[:3])}: write '*attention.query', or '*' for all."
        )
    model.requires_grad_(False)
    for name, linear in chosen.items():
        parent, _, own = name.rpartition(".")
        setattr(named[parent], own, LoraLinear(linear, lora))
    return len(chosen)
