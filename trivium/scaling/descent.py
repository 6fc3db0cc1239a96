"""Newton's method for many laws at once, each damped for itself. No torch.

A step solves (H + λ M) s = −g, with H the second derivatives and M the majorizer of reweighted least squares. With a
large λ it is a safe step downhill that no scaling of the letters changes; with a small one it is Newton's, which near
a minimum doubles the right digits. A step that does not lower the objective is not taken, and λ grows.

Hoffmann et al. 2022 run L-BFGS from every start; all starts at once, in arrays, is the same search in seconds.
"""

__all__ = ["LARGEST_EXPONENT", "SMALLEST_EXPONENT", "TOLERANCE", "Descent", "descend"]

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from trivium.scaling.huber import Problem, Resample

#: Exponents stay between these: at 0 a term is a second E, and beyond 3 it is felt at the smallest sizes only.
SMALLEST_EXPONENT: Final = 0.005
LARGEST_EXPONENT: Final = 3.0
#: A term below exp(−14), a millionth of the smallest loss, is none; it goes no lower.
_NO_TERM: Final = 14.0
#: Of a minimum, the step that is left would lower the objective by less than this part of it.
TOLERANCE: Final = 1e-8

#: Laws times points of one block: what stays in a processor's cache.
_BLOCK: Final = 2**16
_LARGEST_DAMPING: Final = 1e10
_SMALLEST_DAMPING: Final = 1e-12


@dataclass(frozen=True)
class Descent:
    """Where each start came to, the objective there, and whether that is a minimum."""

    laws: Float[np.ndarray, "S 5"]
    objective: Float[np.ndarray, "S"]
    converged: Bool[np.ndarray, "S"]


def descend(
    problem: Problem, starts: Float[np.ndarray, "S 5"], iterations: int, resample: Resample | None = None
) -> Descent:
    """Go down from every start, each on its resample, for so many `iterations` or until its minimum."""
    each = problem.as_measured(len(starts)) if resample is None else resample
    size = max(1, _BLOCK // len(problem.x))
    blocks = [np.arange(first, min(first + size, len(starts))) for first in range(0, len(starts), size)]
    parts = [_descend(problem, starts[block], iterations, each[block]) for block in blocks or [np.arange(0)]]
    return Descent(
        np.concatenate([part.laws for part in parts]),
        np.concatenate([part.objective for part in parts]),
        np.concatenate([part.converged for part in parts]),
    )


def _descend(problem: Problem, starts: Float[np.ndarray, "S 5"], iterations: int, each: Resample) -> Descent:
    lower, upper = _bounds(problem)
    laws = np.clip(starts, lower, upper)
    objective = problem.objective(laws, each)
    damping = np.full(len(laws), 1.0)
    converged = np.zeros(len(laws), dtype=bool)
    for _ in range(iterations):
        going = np.flatnonzero(~converged & (damping < _LARGEST_DAMPING))
        if not len(going):
            break
        here = laws[going]
        found = problem.derivatives(here, each[going])
        held = ((here <= lower) & (found.gradient > 0)) | ((here >= upper) & (found.gradient < 0))
        gradient = np.where(held, 0.0, found.gradient)
        step = -_solve(found.hessian, found.majorizer, damping[going], gradient, held)
        left = (gradient * _solve(0 * found.hessian, found.majorizer, np.ones(len(going)), gradient, held)).sum(axis=1)
        there = np.clip(here + np.clip(step, -5, 5), lower, upper)
        value = problem.objective(there, each[going])
        better = value < objective[going]
        laws[going[better]], objective[going[better]] = there[better], value[better]
        damping[going] = np.maximum(damping[going] * np.where(better, 0.2, 6.0), _SMALLEST_DAMPING)
        smallest = TOLERANCE * objective[going] + np.finfo(float).tiny
        converged[going] = (left <= smallest) | (objective[going] <= len(problem.x) * 1e-26)
    return Descent(laws, objective, converged)


def _bounds(problem: Problem) -> tuple[Float[np.ndarray, "5"], Float[np.ndarray, "5"]]:
    none = float(problem.log_losses.min()) - _NO_TERM
    lower = np.array([none, none, none, SMALLEST_EXPONENT, SMALLEST_EXPONENT])
    return lower, np.array([np.inf, np.inf, np.inf, LARGEST_EXPONENT, LARGEST_EXPONENT])


def _solve(
    hessian: Float[np.ndarray, "S 5 5"],
    majorizer: Float[np.ndarray, "S 5 5"],
    damping: Float[np.ndarray, "S"],
    gradient: Float[np.ndarray, "S 5"],
    held: Bool[np.ndarray, "S 5"],
) -> Float[np.ndarray, "S 5"]:
    """(H + λ M)⁻¹ g among the letters that are free, scaled: a term that is hardly felt does no harm."""
    matrix = hessian + damping[:, None, None] * majorizer
    scale = np.sqrt(np.maximum(np.einsum("sii->si", majorizer), 1e-30))
    matrix = matrix / scale[:, :, None] / scale[:, None, :]
    matrix = np.where(held[:, :, None] | held[:, None, :], 0.0, matrix)
    ridge = 1e-11 * (1 + damping[:, None]) + held
    matrix[:, range(5), range(5)] += ridge
    solved: Float[np.ndarray, "S 5"] = np.linalg.solve(matrix, (gradient / scale)[..., None])[..., 0] / scale
    return solved
