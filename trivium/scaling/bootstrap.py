"""Bootstrap: how far a fit would move if the experiments were done again (Efron & Tibshirani 1993). No torch.

Points of one run are not independent: whole runs are drawn, with replacement, as many as there are. A resample is a
row of weights, how often each point is in it, so that all of them are refitted at once, from the minimum of all points.

With few runs a draw of them has too few sizes for a law, or is the same again. Then the sizes and the tokens stay as
the experiment chose them and errors are drawn (the parametric bootstrap): normal ones, as large as the residuals are.
What all points of a run share, the luck of its seed, is then taken to be as large again: a law through few runs bends
to it, so that the residuals do not show it.

Letters: S resamples, P points.
"""

__all__ = ["FEW_RUNS", "enlarged", "run_numbers", "run_shifts", "run_weights"]

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from trivium.scaling.points import Point

#: With fewer runs than these, residuals are drawn instead of runs.
FEW_RUNS: Final = 15
#: A resample that cannot be fitted is drawn again, so often.
_TRIES: Final = 20


def run_numbers(points: Sequence[Point]) -> Int[np.ndarray, "P"]:
    """The number of each point's run; a point without a run's name is a run of its own."""
    names = [point.run or index for index, point in enumerate(points)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names])


def run_weights(
    runs: Int[np.ndarray, "P"], resamples: int, seed: int, usable: Callable[[Bool[np.ndarray, "P"]], bool]
) -> Float[np.ndarray, "S P"]:
    """How often each point is in each resample of whole runs.

    A resample of which `usable` says that it holds no fit is drawn again; what stays unusable is left out.
    """
    count = int(runs.max()) + 1
    rows = []
    for generator in np.random.default_rng(seed).spawn(resamples):
        for _ in range(_TRIES):
            drawn = np.bincount(generator.integers(count, size=count), minlength=count)[runs]
            if usable(drawn > 0):
                rows.append(drawn.astype(float))
                break
    return np.array(rows).reshape(-1, len(runs))


def run_shifts(
    residuals: Sequence[float], runs: Int[np.ndarray, "P"], resamples: int, seed: int, fitted: int
) -> Float[np.ndarray, "S P"]:
    """What each resample adds to the log losses: it makes of each the law's prediction with another error.

    `residuals` are measured less predicted log loss of a law of `fitted` numbers.
    """
    count, generator = int(runs.max()) + 1, np.random.default_rng(seed)
    size = float(np.sqrt(np.mean(enlarged(residuals, fitted) ** 2)))
    errors = size * generator.standard_normal((resamples, len(runs)))
    if count < len(runs):
        errors += size * generator.standard_normal((resamples, count))[:, runs]
    return np.asarray(errors - np.asarray(residuals))


def enlarged(residuals: Sequence[float], fitted: int) -> Float[np.ndarray, "P"]:
    """Residuals as large as errors are: the more numbers are fitted to few points, the smaller those look."""
    count = len(residuals)
    return np.asarray(residuals, dtype=float) * float(np.sqrt(count / max(1, count - fitted)))
