"""The same minimum by another road: variable projection (Golub & Pereyra 1973). No torch.

For fixed α and β the prediction E + A N^−α + B D^−β is linear in E, A and B, which are solved for exactly (none of them
negative) by reweighted least squares whose fixed point is the minimum of the Huber loss. What is left is a search over
two numbers, which a grid that zooms in does without starts and without derivatives.
"""

__all__ = ["project"]

import itertools

import numpy as np
from jaxtyping import Float

from trivium.scaling.descent import LARGEST_EXPONENT, SMALLEST_EXPONENT
from trivium.scaling.huber import Problem
from trivium.scaling.parametric import ParametricLaw

_SIDE = 16
_ZOOMS = 7
_REWEIGHTINGS = 25
#: Which of E, A, B may be more than zero: the minimum without negative ones is the best of these that has none.
_SUBSETS = [subset for size in (1, 2, 3) for subset in map(np.array, itertools.combinations(range(3), size))]


def project(problem: Problem) -> tuple[ParametricLaw, float]:
    """The best law that the search found, and its objective: a check, less exact than the descent."""
    low, high = np.log([0.02, 0.02]), np.log([LARGEST_EXPONENT, LARGEST_EXPONENT])
    best = (np.inf, np.zeros(5))
    for _ in range(_ZOOMS):
        axes = [np.exp(np.linspace(low[axis], high[axis], _SIDE)) for axis in (0, 1)]
        exponents = np.array(list(itertools.product(*axes)))
        linear, objective = _linear_part(problem, exponents)
        first = int(objective.argmin())
        best = min(best, (float(objective[first]), np.r_[linear[first], exponents[first]]), key=lambda found: found[0])
        middle, reach = np.log(best[1][3:]), (high - low) / 5
        low, high = np.maximum(middle - reach, np.log(SMALLEST_EXPONENT)), middle + reach
    objective_there, (irreducible, size, data, alpha, beta) = best
    size, data = size * np.exp(alpha * problem.centre[0]), data * np.exp(beta * problem.centre[1])
    law = ParametricLaw(float(irreducible), float(size), float(data), float(alpha), float(beta), "variable projection")
    return law, objective_there


def _linear_part(
    problem: Problem, exponents: Float[np.ndarray, "S 2"]
) -> tuple[Float[np.ndarray, "S 3"], Float[np.ndarray, "S"]]:
    """E, A and B (in the middle of the data) for each pair of exponents, and the Huber loss with them."""
    size, data = np.exp(-exponents[:, [0]] * problem.x), np.exp(-exponents[:, [1]] * problem.y)
    columns = np.stack([np.ones_like(size), size, data], axis=1)  # S 3 P
    measured = problem.losses
    weights = np.broadcast_to(measured**-2.0, size.shape)
    for _ in range(_REWEIGHTINGS):
        linear = _non_negative(columns, weights, measured)
        predicted = (linear[:, None] @ columns)[:, 0]
        residuals = np.log(predicted / measured)
        # So weighted, the normal equations say that the Huber loss has no slope in E, A and B.
        steep = np.clip(residuals, -problem.delta, problem.delta)
        gap = predicted - measured
        near = np.abs(gap) < 1e-9 * measured
        weights = np.where(near, measured**-2.0, steep / np.where(near, 1.0, gap * predicted))
    inside = np.minimum(np.abs(residuals), problem.delta)
    return linear, (inside * (np.abs(residuals) - inside / 2)).sum(axis=1)


def _non_negative(
    columns: Float[np.ndarray, "S 3 P"], weights: Float[np.ndarray, "S P"], measured: Float[np.ndarray, "P"]
) -> Float[np.ndarray, "S 3"]:
    weighted = columns * weights[:, None]
    normal, right = weighted @ columns.swapaxes(1, 2), weighted @ measured
    best, gain = np.zeros(right.shape), np.full(len(right), -np.inf)
    for subset in _SUBSETS:
        chosen = np.ix_(np.arange(len(right)), subset, subset)
        part = normal[chosen] * (1 + 1e-12 * np.eye(len(subset)))
        solved = np.linalg.solve(part, right[:, subset, None])[..., 0]
        # What the least squares lose by these columns; of those that have no negative part, the most.
        worth = np.where((solved >= 0).all(axis=1), (solved * right[:, subset]).sum(axis=1), -np.inf)
        better = worth > gain
        best[better] = 0.0
        best[np.ix_(np.flatnonzero(better), subset)] = solved[better]
        gain = np.maximum(gain, worth)
    return best
