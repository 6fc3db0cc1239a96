"""Low-rank adaptation: y = W x + s B A dropout(x), with W frozen (Hu et al. 2021, section 4.1).

s is alpha / rank, or alpha / sqrt(rank) where it is rank-stabilized. Decomposed (DoRA, Liu et al. 2024, equation 5),

    y = m · (W x + s B A dropout(x)) / ||W + s B A||   row by row; m starts as ||W||, and the norm gets no gradient

Letters: I input channels, O output channels, R rank.
"""

__all__ = ["Adapted", "DoraLinear", "LoraLinear", "adapted_layers", "add_lora", "with_update"]

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from trivium import architecture as arch
from trivium.adapt.lora import Lora
from trivium.adapt.targets import in_our_names
from trivium.errors import UsageError, nearest
from trivium.model import Transformer


class LoraLinear(nn.Module):
    """A frozen linear layer with an update of low rank. B starts at zero, so that it starts as the layer it was.

    `down` is A, its own unless it is given another layer's; `up` is B.
    """

    def __init__(self, linear: nn.Linear, lora: Lora, down: nn.Linear | None = None) -> None:
        super().__init__()
        made = {"device": linear.weight.device, "dtype": linear.weight.dtype}
        self.base = linear
        self.lora = lora
        self.scale = lora.scale
        self.dropout = nn.Dropout(lora.dropout)
        self.down = nn.Linear(linear.in_features, lora.rank, bias=False, **made) if down is None else down
        self.up = nn.Linear(lora.rank, linear.out_features, bias=False, **made)
        if not linear.weight.is_meta:
            if down is None:
                nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
            nn.init.zeros_(self.up.weight)

    def forward(self, x: Float[Tensor, "*rest I"]) -> Float[Tensor, "*rest O"]:
        """The layer's output and the update's."""
        update = F.linear(F.linear(self.dropout(x), self.down.weight), self.up.weight)
        out: Tensor = self.base(x) + update * self.scale
        return out

    def merged_weight(self) -> Float[Tensor, "O I"]:
        """The one matrix that does the same, in float32."""
        update = self.up.weight.detach().float() @ self.down.weight.detach().float()
        return self.base.weight.detach().float() + self.scale * update


class DoraLinear(LoraLinear):
    """The same, with the length of each row of the whole matrix learnt by itself: `magnitude`."""

    def __init__(self, linear: nn.Linear, lora: Lora, down: nn.Linear | None = None) -> None:
        super().__init__(linear, lora, down)
        self.magnitude = nn.Parameter(torch.linalg.vector_norm(linear.weight.detach(), dim=1))

    def forward(self, x: Float[Tensor, "*rest I"]) -> Float[Tensor, "*rest O"]:
        """The product of the whole matrix, each row at its own length, and the layer's bias."""
        update = F.linear(F.linear(self.dropout(x), self.down.weight), self.up.weight)
        whole = F.linear(x, self.base.weight) + update * self.scale
        out = whole * (self.magnitude / self.row_lengths()).to(whole.dtype)
        return out if self.base.bias is None else out + self.base.bias.to(out.dtype)

    @torch.no_grad()
    def row_lengths(self) -> Float[Tensor, " O"]:
        """||W + s B A|| of each row, the matrix not made: sqrt(w·w + 2s (A w)·b + s² b·(A Aᵀ b)) of rows w, b."""
        weight, up, down = self.base.weight, self.up.weight, self.down.weight
        with torch.autocast(weight.device.type, enabled=False):
            crossed = 2 * self.scale * (weight @ down.T) + self.scale**2 * (up @ (down @ down.T))
            squares: Tensor = torch.linalg.vector_norm(weight, dim=1) ** 2 + (crossed * up).sum(dim=1)
            return squares.sqrt()

    def merged_weight(self) -> Float[Tensor, "O I"]:
        """The one matrix that does the same, in float32."""
        whole = super().merged_weight()
        merged: Tensor = whole * (self.magnitude.detach().float() / torch.linalg.vector_norm(whole, dim=1))[:, None]
        return merged


@dataclass(frozen=True)
class Adapted:
    """What became of a model: how many layers have an update, and how many of all its weights are trained."""

    layers: int
    trained: int
    total: int

    @property
    def share(self) -> float:
        """Trained weights of all, the updates counted with both."""
        return self.trained / self.total

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the share."""
        return {**asdict(self), "share": self.share}

    def __str__(self) -> str:
        return f"LoRA in {self.layers} layers: {self.trained:,} of {self.total:,} weights trained ({self.share:.2%})"


def add_lora(model: Transformer, lora: Lora) -> Adapted:
    """Freeze `model`, put an update beside each matching linear layer, and say what share of the weights is trained.

    A task's head over the model is trained whole: it is new, or of few weights; a bare pooler stands still. Raises
    `UsageError` where no layer matches, and for a model that has updates already.
    """
    if adapted_layers(model):
        raise UsageError("This model has updates of low rank already. Merge them, or start from its base.")
    ours = in_our_names(lora, model.architecture)
    named = dict(model.named_modules())
    linears = {name: module for name, module in named.items() if isinstance(module, nn.Linear)}
    chosen = {name: linear for name, linear in linears.items() if ours.matches(name) and not name.startswith("task.")}
    if not chosen:
        raise _no_layer(lora, list(linears))
    model.requires_grad_(False)
    if model.task is not None and not isinstance(model.architecture.task, arch.Pooler):
        model.task.requires_grad_(True)
    downs: dict[str, nn.Linear] = {}
    for name, linear in chosen.items():
        first = ours.sharing(name)[0]
        update = with_update(linear, ours, downs.get(first))
        downs.setdefault(first, update.down)
        parent, _, own = name.rpartition(".")
        setattr(named[parent], own, update)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return Adapted(len(chosen), trained, sum(parameter.numel() for parameter in model.parameters()))


def with_update(linear: nn.Linear, lora: Lora, down: nn.Linear | None = None) -> LoraLinear:
    """The layer with an update as `lora` describes it; with `down`, another layer's A."""
    return (DoraLinear if lora.decomposed else LoraLinear)(linear, lora, down)


def adapted_layers(model: nn.Module) -> Mapping[str, LoraLinear]:
    """The layers of a model that have an update, by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLinear)}


def _no_layer(lora: Lora, linears: list[str]) -> UsageError:
    ends = {name.rpartition(".")[2] for name in linears}
    hint = nearest(lora.targets[0].rpartition(".")[2].strip("*"), ends)
    return UsageError(
        f"No linear layer is named by {', '.join(lora.targets)}.{hint} A pattern is one of whole names, such as "
        f"{', '.join(linears[:3])} ('*attention.query'; '*' for all), or the end of published ones ('q_proj')."
    )
