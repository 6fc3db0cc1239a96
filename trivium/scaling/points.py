"""What a fit is made of: a point a trained model, or a point a moment of its training.

N: parameters    D: tokens    C: FLOPs    L: nats a token
"""

__all__ = ["Point"]

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Point:
    """A measured loss. `run` names the training that it is from: points of one run are not independent."""

    parameters: float
    tokens: float
    flops: float
    loss: float
    run: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)
