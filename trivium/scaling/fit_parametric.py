"""Approach 3: L(N, D) = E + A / N^α + B / D^β fitted to points (Hoffmann et al. 2022, section 3.3). No torch.

The five numbers are ill-conditioned and the objective has many minima, so: every start of the published grid goes
down, the best of them to the end, by exact derivatives; whether they converged is said; and variable projection looks
for the same minimum in another way.
"""

__all__ = ["Convergence", "fit_parametric", "grid_of_starts", "problem_of", "refit"]

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from trivium.scaling.descent import Descent, descend
from trivium.scaling.huber import Problem, Resample
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point
from trivium.scaling.projection import project

#: How many starts go on after so many steps: a start that is still high up then has not ended lowest.
_ROUNDS: Final = ((4500, 2), (1000, 6), (300, 20), (40, 500))
#: A start ended in the best minimum where its objective is that of the best but for this part.
_SAME: Final = 1e-6
#: What the fineness of variable projection's grid costs a point: a residual of 1e-4 in log loss.
_FINENESS: Final = 1e-4**2 / 2


@dataclass(frozen=True)
class Convergence:
    """How sure it is that the minimum is the minimum.

    Of `starts`, the `polished` best were followed until they stood still, and `agreeing` of those stand in the lowest
    minimum. `objective` is the summed Huber loss there, `projected_objective` what variable projection found: the
    minimum is `confirmed` where the two are the same but for the fineness of its grid.
    """

    converged: bool
    objective: float
    starts: int
    polished: int
    agreeing: int
    projected_objective: float
    confirmed: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


def problem_of(points: Sequence[Point]) -> Problem:
    """The points as arrays."""
    columns = np.array([(point.parameters, point.tokens, point.loss) for point in points], dtype=float).T
    return Problem(*columns)


def grid_of_starts(problem: Problem) -> Float[np.ndarray, "4500 5"]:
    """α, β ∈ {0, 0.5, ..., 2}, log E ∈ {−1, −0.5, ..., 1}, log A, log B ∈ {0, 5, ..., 25} (Hoffmann et al., eq. 3)."""
    halves, fives = np.linspace(0, 2, 5), np.linspace(0, 25, 6)
    rows = np.array(list(itertools.product(fives, fives, halves - 1, halves, halves)))
    rows[:, :2] -= rows[:, 3:] * problem.centre
    return rows


def fit_parametric(problem: Problem) -> tuple[ParametricLaw, Convergence]:
    """The law of the lowest summed Huber loss from all starts, and how sure that is."""
    starts = grid_of_starts(problem)
    laws = starts
    for count, iterations in _ROUNDS:
        found = descend(problem, laws[:count], iterations)
        laws = found.laws[np.argsort(found.objective, kind="stable")]
    projected, projected_objective = project(problem)
    ends = _joined(found, descend(problem, problem.row(_positive(projected, problem))[None], 500))
    best = int(ends.objective.argmin())
    lowest = float(ends.objective[best])
    standing = ends.converged[:-1] & (ends.objective[:-1] <= lowest * (1 + _SAME) + 1e-15)
    convergence = Convergence(
        converged=bool(ends.converged[best]),
        objective=lowest,
        starts=len(starts),
        polished=len(found.laws),
        agreeing=int(standing.sum()),
        projected_objective=projected_objective,
        confirmed=abs(projected_objective - lowest) <= 1e-3 * lowest + len(problem.x) * _FINENESS,
    )
    return problem.law(ends.laws[best]), convergence


def refit(problem: Problem, law: ParametricLaw, resample: Resample) -> Descent:
    """The fit of each resample, from the minimum of the points as measured."""
    starts = np.repeat(problem.row(_positive(law, problem))[None], len(resample.weights), axis=0)
    return descend(problem, starts, 300, resample)


def _positive(law: ParametricLaw, problem: Problem) -> ParametricLaw:
    """A law whose terms have logarithms: where a term is zero, too small to be felt."""
    tiny = float(problem.losses.min()) * 1e-6
    return ParametricLaw(
        max(law.irreducible, tiny),
        max(law.size_scale, tiny),
        max(law.data_scale, tiny),
        law.size_exponent,
        law.data_exponent,
    )


def _joined(first: Descent, second: Descent) -> Descent:
    return Descent(
        np.concatenate([first.laws, second.laws]),
        np.concatenate([first.objective, second.objective]),
        np.concatenate([first.converged, second.converged]),
    )
