"""From a budget to a size: C = 6 N D and D = 20 N (Hoffmann et al. 2022, section 3.4).

An encoder-decoder of N parameters costs 3 N a token, as each token sees half of them (Brown et al. 2020, table D.1).
"""

__all__ = ["FLOPS_PER_PARAMETER_AND_TOKEN", "TOKENS_PER_PARAMETER", "compute_optimal_parameters", "largest_within"]

import math
from collections.abc import Callable, Sequence

from trivium.architecture import Architecture, Kind
from trivium.errors import BudgetError

#: Chinchilla's rule of thumb.
TOKENS_PER_PARAMETER = 20.0

#: Forward and backward pass, of all parameters (tied tables once).
FLOPS_PER_PARAMETER_AND_TOKEN: dict[Kind, float] = {"encoder": 6.0, "decoder": 6.0, "encoder-decoder": 3.0}


def compute_optimal_parameters(flops: float, kind: Kind, tokens_per_parameter: float = TOKENS_PER_PARAMETER) -> float:
    """N of C = k N D with D = `tokens_per_parameter` · N."""
    return math.sqrt(flops / (FLOPS_PER_PARAMETER_AND_TOKEN[kind] * tokens_per_parameter))


def largest_within(
    ladder: Sequence[Architecture],
    seconds: float,
    seconds_of: Callable[[Architecture], float],
    flops_per_second: float,
    tokens_per_parameter: float = TOKENS_PER_PARAMETER,
) -> tuple[Architecture, float]:
    """The largest shape whose compute-optimal training fits into `seconds`, and the seconds it will take.

    The first guess is C = `flops_per_second` · seconds; then real steps are timed by `seconds_of`, which returns the
    seconds of the whole training, up or down the ladder until a shape fits and the next one does not. Raises
    `BudgetError` where even the smallest does not.
    """
    kind = ladder[0].kind
    wanted = compute_optimal_parameters(flops_per_second * seconds, kind, tokens_per_parameter)
    index = max((i for i, rung in enumerate(ladder) if rung.parameters <= wanted), default=0)
    taken: dict[int, float] = {}
    while True:
        taken[index] = seconds_of(ladder[index])
        fits = taken[index] <= seconds
        following = index + 1 if fits else index - 1
        if following < 0:
            raise BudgetError(
                f"The smallest {ladder[0].family} of {ladder[0].parameters:,} parameters would take "
                f"{taken[0]:.3g} seconds on this machine, and the budget allows {seconds:.3g}. Give it more minutes, a "
                "smaller vocabulary, or fewer tokens_per_parameter."
            )
        if following in taken or following == len(ladder):
            best = max(i for i, spent in taken.items() if spent <= seconds)
            return ladder[best], taken[best]
        index = following
