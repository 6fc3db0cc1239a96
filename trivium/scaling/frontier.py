"""Power laws of the compute-optimal frontier: N_opt = k_N C^a, D_opt = k_D C^b. No torch.

Hoffmann et al. 2022, table 2, by approaches 1 and 2.

N: parameters    D: tokens    C: FLOPs of training
"""

__all__ = ["FrontierLaw", "PowerLaw", "power_law"]

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from trivium.scaling.parametric import Optimum


@dataclass(frozen=True)
class PowerLaw:
    """y = scale · x^exponent."""

    scale: float
    exponent: float

    def __call__(self, x: float | int) -> float:
        """Y at x."""
        return float(self.scale * float(x) ** self.exponent)


@dataclass(frozen=True)
class FrontierLaw:
    """The size and the tokens that are best for a compute budget. It says nothing of the loss.

    `source` says who fitted it to what.
    """

    parameters: PowerLaw
    tokens: PowerLaw
    source: str = ""

    @property
    def size_share(self) -> float:
        """Exponent a of N_opt ∝ C^a."""
        return self.parameters.exponent

    def optimum(self, flops: float | int, flops_per_parameter_and_token: float | int = 6) -> Optimum:
        """N_opt and D_opt for `flops`, as the points count them."""
        return Optimum(float(flops), self.parameters(flops), self.tokens(flops))

    def loss(self, parameters: float | int, tokens: float | int) -> float | None:
        """None: the frontier says nothing of the loss."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


def power_law(x: Float[np.ndarray, "P"], y: Float[np.ndarray, "P"]) -> PowerLaw:
    """The least-squares line of log y on log x."""
    middle = np.log(x).mean()
    exponent, level = np.polyfit(np.log(x) - middle, np.log(y), 1)
    return PowerLaw(float(np.exp(level - exponent * middle)), float(exponent))
