"""L(N, D) = E + A / N^α + B / D^β (Hoffmann et al. 2022, equation 2), and what follows from it. No torch.

N: parameters    D: tokens    C: FLOPs of training, k N D with k = 6 (3 for an encoder-decoder)    L: nats a token
"""

__all__ = ["Optimum", "ParametricLaw"]

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Optimum:
    """The size and the data of lowest loss for `flops`, by some law. Loss in nats a token; None where it says none."""

    flops: float
    parameters: float
    tokens: float
    loss: float | None = None

    @property
    def tokens_per_parameter(self) -> float:
        """D / N."""
        return self.tokens / self.parameters

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "tokens_per_parameter": self.tokens_per_parameter}


@dataclass(frozen=True)
class ParametricLaw:
    """E: the loss that no model goes below; A, α: what a finite model adds; B, β: what finite data add.

    `source` says who fitted it to what. Tokens, and so all five numbers, are those of one tokenizer.
    """

    irreducible: float
    size_scale: float
    data_scale: float
    size_exponent: float
    data_exponent: float
    source: str = ""

    def loss(self, parameters: float | int, tokens: float | int) -> float:
        """L(N, D) in nats a token."""
        lack_of_size = self.size_scale * parameters**-self.size_exponent
        lack_of_data = self.data_scale * tokens**-self.data_exponent
        return float(self.irreducible + lack_of_size + lack_of_data)

    @property
    def size_share(self) -> float:
        """Exponent a = β / (α + β): N_opt grows as C^a, and D_opt as C^(1 − a)."""
        return self.data_exponent / (self.size_exponent + self.data_exponent)

    def optimum(self, flops: float | int, flops_per_parameter_and_token: float | int = 6) -> Optimum:
        """N_opt = G (C/k)^a, D_opt = (C/k)^(1−a) / G, G = (αA / βB)^(1 / (α+β)) (Hoffmann et al. 2022, equation 4)."""
        product = flops / flops_per_parameter_and_token
        ratio = (self.size_exponent * self.size_scale) / (self.data_exponent * self.data_scale)
        scale = ratio ** (1 / (self.size_exponent + self.data_exponent))
        parameters = float(scale * product**self.size_share)
        tokens = float(product / parameters)
        return Optimum(float(flops), parameters, tokens, self.loss(parameters, tokens))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)
