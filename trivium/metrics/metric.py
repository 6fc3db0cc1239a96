"""A figure of quality with the interval that it may be trusted to."""

__all__ = ["Metric"]

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """The value of a metric on `items` items, and the `confidence` interval of it (None where there is none).

    Shares and probabilities lie in 0 to 1; BLEU and chrF in 0 to 100, as their own field prints them.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    items: int = 0
    confidence: float = 0.95

    def __str__(self) -> str:
        shown = f"{self.value:.4g}"
        return shown if self.low is None or self.high is None else f"{shown} ({self.low:.4g} to {self.high:.4g})"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)
