"""What a fit is made of: a point a trained model, or a point a moment of its training. No torch.

N: parameters    D: tokens    C: FLOPs    L: nats a token
"""

__all__ = ["FLOPS_PER_PARAMETER_AND_TOKEN", "Point", "last_of_runs"]

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

#: C = 6 N D where nothing else is known of the compute (Kaplan et al. 2020, section 2.1).
FLOPS_PER_PARAMETER_AND_TOKEN: Final = 6


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


def last_of_runs(points: Iterable[Point]) -> list[Point]:
    """The point of the most tokens of every run; points without a run's name all stay.

    A law of N and D is of models whose schedule ended at D. In the middle of a decaying schedule the loss is higher
    than that of a run that ends there, so approaches 2 and 3 take the ends of training curves.
    """
    last: dict[str, Point] = {}
    alone = []
    for point in points:
        if not point.run:
            alone.append(point)
        elif point.run not in last or point.tokens > last[point.run].tokens:
            last[point.run] = point
    return [*alone, *last.values()]
