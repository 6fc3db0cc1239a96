"""How a gradient becomes a step: which weights decay, which go to Muon, and one object over all of them."""

__all__ = ["Optimizer", "build_optimizer"]

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.train.muon import Muon
from trivium.train.settings import TrainSettings


class Optimizer:
    """One or two of torch's optimizers as one, with a state of tensors that are named by the weights they belong to."""

    def __init__(self, parts: list[torch.optim.Optimizer], names: Mapping[Tensor, str]) -> None:
        self.parts = parts
        self.names = names
        self.learning_rates = [group["lr"] for part in parts for group in part.param_groups]

    @property
    def parameters(self) -> list[Tensor]:
        """All weights that are trained."""
        return [p for part in self.parts for group in part.param_groups for p in group["params"]]

    def step(self, multiplier: float) -> None:
        """Take a step with every learning rate multiplied by `multiplier`, and forget the gradients."""
        groups = (group for part in self.parts for group in part.param_groups)
        for group, learning_rate in zip(groups, self.learning_rates, strict=True):
            group["lr"] = learning_rate * multiplier
        for part in self.parts:
            part.step()
        self.zero_grad()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Tensor]:
        """Every running mean and counter, as `<weight>.<quantity>`: all that a resumed run needs."""
        return {
            f"{self.names[parameter]}.{quantity}": value
            for part in self.parts
            for parameter, state in part.state.items()
            for quantity, value in state.items()
        }

    def load_state_dict(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` gave."""
        owners = {
            self.names[parameter]: (part, parameter)
            for part in self.parts
            for group in part.param_groups
            for parameter in group["params"]
        }
        for name, value in tensors.items():
            weight, _, quantity = name.rpartition(".")
            part, parameter = owners[weight]
            part.state[parameter][quantity] = value.to(parameter.device)


def build_optimizer(model: nn.Module, settings: TrainSettings, matmul_dtype: torch.dtype = torch.float32) -> Optimizer:
    """The optimizer of `settings` over all weights of `model` that require a gradient.

    Matrices decay; norms and biases do not (as in BERT's code), nor do embedding tables: small embeddings make the
    gradients of the first layers large (Takase et al. 2024), and OLMo 2 trains more stably without (Walsh et al. 2025,
    section 3.4). With `muon` the matrices of the blocks go to Muon; the embedding tables, the head, norms and biases
    stay with AdamW (Jordan et al. 2024).
    """
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    tables = {p for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)}
    heads = (getattr(model, "head", None), getattr(model, "task", None))
    head = {p for module in heads if isinstance(module, nn.Module) for p in module.parameters()}
    matrices = [p for p in named.values() if p.ndim >= 2 and p not in tables]
    vectors = [p for p in named.values() if p.ndim < 2 or p in tables]
    rate, decay = settings.learning_rate, settings.weight_decay
    parts: list[torch.optim.Optimizer] = []
    if settings.optimizer == "muon":
        inner = [p for p in matrices if p.ndim == 2 and p not in head]
        if inner:
            parts.append(
                Muon(inner, lr=rate, weight_decay=decay, momentum=settings.momentum, matmul_dtype=matmul_dtype)
            )
        chosen = set(inner)
        matrices = [p for p in matrices if p not in chosen]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if groups:
        parts.append(torch.optim.AdamW(groups, lr=rate, betas=settings.betas, eps=settings.epsilon, fused=True))
    return Optimizer(parts, {p: name for name, p in named.items()})
