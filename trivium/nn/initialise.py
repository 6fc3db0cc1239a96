"""Initial weights as the papers have them, so that a model trained from scratch behaves as published."""

__all__ = ["initialise"]

import torch
from torch import nn

from trivium import architecture as arch
from trivium.nn.attention import Attention
from trivium.nn.bias import RelativeBuckets
from trivium.nn.mlp import MLP
from trivium.nn.sinusoid import DistanceScores


def initialise(model: nn.Module, architecture: arch.Architecture, generator: torch.Generator | None = None) -> None:
    """Draw every weight anew. Norms start at weight 1, bias 0; all biases at 0."""
    for module in model.modules():
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm | nn.RMSNorm):
            module.reset_parameters()
        elif isinstance(module, DistanceScores):
            nn.init.zeros_(module.content)
            nn.init.zeros_(module.distance)
    match architecture.initialisation:
        case arch.Normal(std, scale_residual):
            _normal(model, std, 2 * architecture.output_stack.depth if scale_residual else 1, generator)
        case arch.FanIn():
            _fan_in(model, architecture.dim, generator)
        case arch.Xavier():
            _xavier(model, architecture.dim, generator)


def _normal(model: nn.Module, std: float, residual_writers: int, generator: torch.Generator | None) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=std, generator=generator)
        elif isinstance(module, DistanceScores):
            nn.init.normal_(module.content, std=std, generator=generator)
            nn.init.normal_(module.distance, std=std, generator=generator)
    for module in model.modules():
        if residual_writers > 1 and isinstance(module, Attention | MLP):
            writer = module.output if isinstance(module, Attention) else module.down
            nn.init.normal_(writer.weight, std=std * residual_writers**-0.5, generator=generator)


def _fan_in(model: nn.Module, dim: int, generator: torch.Generator | None) -> None:
    # The token table of T5 starts at 1: its tied head scales the hidden state down by 1/sqrt(dim) instead.
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5, generator=generator)
        elif isinstance(module, RelativeBuckets):
            nn.init.normal_(module.table.weight, std=dim**-0.5, generator=generator)
    for module in model.modules():
        if isinstance(module, Attention):
            head_dim = module.query.out_features // module.heads
            nn.init.normal_(module.query.weight, std=(dim * head_dim) ** -0.5, generator=generator)
    for name, module in model.named_modules():
        if name == "tokens" and isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=1.0, generator=generator)


def _xavier(model: nn.Module, dim: int, generator: torch.Generator | None) -> None:
    # The token table is multiplied by sqrt(dim) on the way in, which brings its vectors to the size of the positions.
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=dim**-0.5, generator=generator)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight, generator=generator)
    for name, module in model.named_modules():
        if name == "tokens" and isinstance(module, nn.Embedding):  # a tied head was drawn over it
            nn.init.normal_(module.weight, std=dim**-0.5, generator=generator)
