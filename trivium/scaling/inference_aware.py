"""A model that is trained once and then serves (Sardana et al. 2024, "Beyond Chinchilla-optimal", arXiv 2401.00448).

N: parameters    D: tokens of training    I: tokens read and written in its life    No torch.

Training costs k N D FLOPs (k = 6; 3 for an encoder-decoder), serving k/3 N I. The more it serves, the smaller it should
be, and the longer trained. Two questions with one frontier: what costs least in all at a loss that is given, and what
loss is lowest at a cost that is given.
"""

__all__ = ["ServedOptimum", "best_within", "cheapest"]

import math
from dataclasses import asdict, dataclass
from typing import Any

from trivium.errors import BudgetError
from trivium.scaling.minimum import lowest
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.repetition import RepetitionLaw


@dataclass(frozen=True)
class ServedOptimum:
    """A size and its training, with the FLOPs of its training and of its life. Loss in nats a token."""

    parameters: float
    tokens: float
    loss: float
    training_flops: float
    inference_flops: float

    @property
    def flops(self) -> float:
        """Of training and serving together."""
        return self.training_flops + self.inference_flops

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "flops": self.flops}


def cheapest(
    law: ParametricLaw, loss: float | int, inference_tokens: float | int, flops_per_parameter_and_token: float | int = 6
) -> ServedOptimum:
    """The size that costs least to bring to `loss` and to serve: min k N D + k/3 N I where L(N, D) = loss (equation 3).

    Raises `BudgetError` for a loss that the law says no model reaches.
    """
    if not loss > law.irreducible:
        raise BudgetError(
            f"No model reaches a loss of {loss:.4g}: by this law nothing goes below {law.irreducible:.4g} nats a token."
        )
    smallest = (law.size_scale / (loss - law.irreducible)) ** (1 / law.size_exponent)

    def tokens_of(parameters: float) -> float:
        left = loss - law.irreducible - law.size_scale * parameters**-law.size_exponent
        return float((law.data_scale / left) ** (1 / law.data_exponent)) if left > 0 else math.inf

    def flops_of(parameters: float) -> float:
        return parameters * (tokens_of(parameters) + inference_tokens / 3)

    parameters = lowest(flops_of, smallest, smallest * 1e3)
    return _served(parameters, tokens_of(parameters), loss, inference_tokens, flops_per_parameter_and_token)


def best_within(
    law: ParametricLaw,
    flops: float | int,
    inference_tokens: float | int,
    flops_per_parameter_and_token: float | int = 6,
    unique_tokens: float | int = math.inf,
) -> ServedOptimum:
    """The size of lowest loss whose training and serving together take `flops`.

    Where no more than `unique_tokens` are different, what is read again is worth less (`RepetitionLaw`).
    """
    product = flops / flops_per_parameter_and_token
    fresh = law.optimum(flops, flops_per_parameter_and_token).parameters
    repeated = RepetitionLaw(law)

    def tokens_of(parameters: float) -> float:
        return product / parameters - inference_tokens / 3

    def loss_of(parameters: float) -> float:
        tokens = tokens_of(parameters)
        return repeated.loss(parameters, tokens, unique_tokens) if tokens > 0 else math.inf

    parameters = lowest(loss_of, fresh / 1e6, fresh * 1e3)
    return _served(
        parameters,
        tokens_of(parameters),
        loss_of(parameters),
        inference_tokens,
        flops_per_parameter_and_token,
    )


def _served(
    parameters: float, tokens: float, loss: float | int, inference_tokens: float | int, rate: float | int
) -> ServedOptimum:
    return ServedOptimum(
        parameters,
        tokens,
        float(loss),
        training_flops=float(rate * parameters * tokens),
        inference_flops=float(rate / 3 * parameters * inference_tokens),
    )
