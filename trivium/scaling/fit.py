"""A scaling law of one's own, fitted to points. No torch.

found = fit(points, approach=3)
found.law, found.exponents()["alpha"], found.predict(1e9, 2e10), found.optimum(1e21)
"""

__all__ = ["fit", "outliers_of", "residuals_of"]

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from trivium.errors import UsageError
from trivium.scaling.bootstrap import run_numbers, run_weights
from trivium.scaling.cautions import cautions, check_points, distinct
from trivium.scaling.fit_parametric import fit_parametric, problem_of, refit
from trivium.scaling.fitted import Fit
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point

#: An outlier's residual is so many times the robust spread (1.4826 x the median deviation) away from the median.
_OUTLYING: Final = 4.0
_SMALLEST_SPREAD: Final = 1e-5


def fit(
    points: Sequence[Point],
    approach: int = 3,
    bootstrap: int = 200,
    seed: int = 0,
    drop_outliers: bool = False,
) -> Fit:
    """Fit L(N, D) to points (`approach` 3).

    `bootstrap` resamples of whole runs give the intervals; 0 gives none. Raises `DataError` for points that no law can
    be fitted to: too few, of one size, of one loss, not positive.
    """
    if approach != 3:
        raise UsageError(f"There is no approach {approach}: 1, 2 and 3 are those of Hoffmann et al. 2022.")
    if bootstrap < 0:
        raise UsageError(f"{bootstrap} resamples cannot be drawn: give 0 for none, 200 or more for intervals.")
    check_points(points)
    return _fit_parametric(tuple(points), bootstrap, seed, drop_outliers)


def _fit_parametric(points: tuple[Point, ...], bootstrap: int, seed: int, drop_outliers: bool) -> Fit:
    whole = problem_of(points)
    law, convergence = fit_parametric(whole)
    outliers = outliers_of(residuals_of(law, points))
    kept = points
    if drop_outliers and outliers:
        kept = tuple(point for index, point in enumerate(points) if index not in outliers)
        check_points(kept)
        law, convergence = fit_parametric(problem_of(kept))
    problem = problem_of(kept)
    weights = run_weights(
        run_numbers(kept),
        bootstrap,
        seed,
        lambda drawn: min(distinct(problem.parameters[drawn]), distinct(problem.tokens[drawn])) >= 3,
    )
    found = refit(problem, law, weights) if len(weights) else None
    samples = tuple(problem.law(row) for row in found.laws[found.converged]) if found else ()
    result = Fit(
        approach=3,
        law=replace(law, source=f"fitted to {len(kept)} points"),
        points=points,
        residuals=tuple(residuals_of(law, points)),
        outliers=outliers,
        dropped=len(kept) < len(points),
        samples=samples,
        flops_per_parameter_and_token=float(np.median([p.flops / (p.parameters * p.tokens) for p in kept])),
        convergence=convergence,
        warnings=(),
        seed=seed,
    )
    intervals = {name: found.interval for name, found in result.exponents().items() if found.interval}
    said = cautions(kept, law, intervals, 0 if result.dropped else len(outliers))
    if not convergence.converged:
        said.insert(0, "The descent did not converge: the numbers are where it stopped, not a minimum.")
    if len(samples) < bootstrap:
        said.append(f"Of {bootstrap} resamples {bootstrap - len(samples)} hold no fit: the intervals are too narrow.")
    return replace(result, warnings=tuple(said))


def residuals_of(law: ParametricLaw, points: Sequence[Point]) -> list[float]:
    """Measured less predicted log loss of each point."""
    return [float(np.log(point.loss / law.loss(point.parameters, point.tokens))) for point in points]


def outliers_of(residuals: Sequence[float]) -> tuple[int, ...]:
    """The numbers of residuals that are far from the others, by the median and the median deviation."""
    away = np.abs(np.asarray(residuals) - np.median(residuals))
    spread = max(1.4826 * float(np.median(away)), _SMALLEST_SPREAD)
    return tuple(int(index) for index in np.flatnonzero(away > _OUTLYING * spread))
