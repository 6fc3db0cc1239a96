"""Muon: momentum whose matrices are made orthogonal before they are applied (Jordan et al. 2024).

torch's own Muon does its matrix products in bfloat16, which many processors emulate, fifty times slower than float32.
This one is the same algorithm with the number format as an argument.

Letters: M rows and N columns of a weight matrix.
"""

__all__ = ["Muon", "orthogonalize"]

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

#: The quintic a x + b x^3 + c x^5, steep at zero, that five rounds take to about 1 (Jordan et al. 2024).
_QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalize(matrix: Float[Tensor, "M N"], dtype: torch.dtype, rounds: int = 5) -> Float[Tensor, "M N"]:
    """Replace a matrix's singular values by values near 1 (between about 0.7 and 1.2) with a Newton-Schulz iteration.

    X <- a X + (b X X' + c (X X')^2) X, after X is divided by its Frobenius norm.
    """
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.mT if tall else matrix).to(dtype)
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(rounds):
        gram = x @ x.mT
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, with decoupled weight decay.

        m <- momentum m + (1 - momentum) g
        w <- (1 - lr decay) w - lr 0.2 sqrt(max(M, N)) orthogonalize((1 - momentum) g + momentum m)

    The factor 0.2 sqrt(max(M, N)) gives the update the size of AdamW's, so that both take the same learning rate and
    weight decay (Liu et al. 2025, "Muon is scalable for LLM training", equation 4).
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        matmul_dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(list(parameters), {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.matmul_dtype = matmul_dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step with the gradients that are there."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, state, momentum = parameter.grad, self.state[parameter], group["momentum"]
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        mean = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        update = orthogonalize(gradient.lerp(mean, momentum), self.matmul_dtype)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(max(parameter.shape)))
