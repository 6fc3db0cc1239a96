"""A scaling law of one's own, fitted to points. No torch.

found = fit(points, approach=3)
found.law, found.exponents()["alpha"], found.predict(1e9, 2e10), found.optimum(1e21)
"""

__all__ = ["fit", "outliers_of"]

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Int

from trivium.errors import UsageError
from trivium.scaling.bootstrap import FEW_RUNS, run_numbers, run_shifts, run_weights
from trivium.scaling.cautions import FEWEST_DISTINCT, cautions, check_points, distinct, wide_intervals
from trivium.scaling.fit_frontier import FrontierFit, fit_envelope, fit_isoflop
from trivium.scaling.fit_parametric import fit_parametric, problem_of, refit
from trivium.scaling.fitted import NUMBERS, Fit
from trivium.scaling.huber import Problem, Resample
from trivium.scaling.isoflop import TOLERANCE
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point

#: An outlier's residual is so many times the robust spread (1.4826 x the median deviation) away from the median.
_OUTLYING: Final = 5.0
_SMALLEST_SPREAD: Final = 1e-5
#: A law of few numbers passes through as many points: their residuals say nothing of the spread.
_PASSED_THROUGH: Final = 1e-6
#: The most points of a fit: its time grows with them.
_MOST_POINTS: Final = 20_000
_LARGEST_BOOTSTRAP: Final = 10_000


def fit(
    points: Sequence[Point],
    approach: int = 3,
    bootstrap: int = 200,
    seed: int = 0,
    drop_outliers: bool = False,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Fit a law to points, by an approach of Hoffmann et al. 2022, section 3.

    1: the envelope of training curves; 2: a valley for every budget, whose runs agree in FLOPs to within `tolerance`;
    3: L(N, D). `bootstrap` resamples of whole runs give the intervals; 0 gives none. With `drop_outliers` the law is
    fitted again without the points that are far from it (approaches 2 and 3: an envelope does not feel high losses).
    Raises `DataError` for points that hold no law: too few, of one size, of one loss, not positive.
    """
    if approach not in (1, 2, 3):
        raise UsageError(f"There is no approach {approach}: 1, 2 and 3 are those of Hoffmann et al. 2022.")
    if not 0 <= bootstrap <= _LARGEST_BOOTSTRAP:
        raise UsageError(f"{bootstrap} resamples: draw up to {_LARGEST_BOOTSTRAP:,}, or 0 for no intervals.")
    if len(points) > _MOST_POINTS:
        raise UsageError(f"{len(points):,} points, over the limit of {_MOST_POINTS:,}: thin the curves.")
    check_points(points)
    if approach == 3:
        return _by_parametric(tuple(points), bootstrap, seed, drop_outliers)
    return _by_frontier(tuple(points), approach, bootstrap, seed, drop_outliers, tolerance)


def outliers_of(residuals: Sequence[float | None]) -> tuple[int, ...]:
    """The numbers of residuals that are far from the others, by the median and the median deviation."""
    there = np.array([0.0 if value is None else value for value in residuals], dtype=float)
    away = np.abs(there - np.median(there))
    felt = away[away > _PASSED_THROUGH]
    spread = max(1.4826 * float(np.median(felt)), _SMALLEST_SPREAD) if len(felt) else np.inf
    return tuple(int(index) for index in np.flatnonzero(away > _OUTLYING * spread))


def _by_parametric(points: tuple[Point, ...], bootstrap: int, seed: int, drop_outliers: bool) -> Fit:
    law, convergence = fit_parametric(problem_of(points))
    outliers = outliers_of(_residuals(law, points))
    kept = _without(points, outliers) if drop_outliers else points
    problem = problem_of(kept)
    if len(kept) < len(points):
        check_points(kept)
        law, convergence = fit_parametric(problem)
    laws = refit(problem, law, _resample(problem, _residuals(law, kept), run_numbers(kept), bootstrap, seed)).laws
    result = Fit(
        approach=3,
        law=replace(law, source=f"approach 3, {len(kept)} points"),
        points=points,
        residuals=tuple(_residuals(law, points)),
        outliers=outliers,
        dropped=len(kept) < len(points),
        samples=tuple(problem.law(row) for row in laws),
        flops_per_parameter_and_token=_factor(points),
        seed=seed,
        convergence=convergence,
    )
    intervals = {name: found.interval for name, found in result.exponents().items() if found.interval}
    said = [*cautions(kept, law), *wide_intervals(intervals), *_on_outliers(result)]
    if not convergence.converged:
        said.insert(0, "The descent did not converge: the numbers are where it stopped, not a minimum.")
    return replace(result, warnings=(*said, *_on_resamples(result, bootstrap)))


def _by_frontier(
    points: tuple[Point, ...], approach: int, bootstrap: int, seed: int, drop_outliers: bool, tolerance: float
) -> Fit:
    def fitted(some: Sequence[Point]) -> FrontierFit:
        return fit_envelope(some, bootstrap, seed) if approach == 1 else fit_isoflop(some, bootstrap, seed, tolerance)

    found = fitted(points)
    residuals, outliers = found.residuals, outliers_of(found.residuals)
    if drop_outliers and outliers:
        found = fitted(_without(points, outliers))
    result = Fit(
        approach=approach,
        law=found.law,
        points=points,
        residuals=residuals,
        outliers=outliers,
        dropped=drop_outliers and bool(outliers),
        samples=found.samples,
        flops_per_parameter_and_token=_factor(points),
        seed=seed,
        frontier=found.frontier,
        valleys=found.valleys,
    )
    intervals = {name: found.interval for name, found in result.exponents().items() if found.interval}
    said = [*found.warnings, *wide_intervals(intervals), *_on_outliers(result), *_on_resamples(result, bootstrap)]
    return replace(result, warnings=tuple(said))


def _resample(
    problem: Problem, residuals: Sequence[float], runs: Int[np.ndarray, "P"], bootstrap: int, seed: int
) -> Resample:
    def usable(drawn: Bool[np.ndarray, "P"]) -> bool:
        return min(distinct(problem.parameters[drawn]), distinct(problem.tokens[drawn])) >= FEWEST_DISTINCT

    if int(runs.max()) + 1 < FEW_RUNS:
        shifts = run_shifts(residuals, runs, bootstrap, seed, NUMBERS)
        return Resample(np.ones_like(shifts), shifts)
    weights = run_weights(runs, bootstrap, seed, usable)
    return Resample(weights, np.zeros_like(weights))


def _residuals(law: ParametricLaw, points: Sequence[Point]) -> list[float]:
    return [float(np.log(point.loss / law.loss(point.parameters, point.tokens))) for point in points]


def _without(points: tuple[Point, ...], outliers: Sequence[int]) -> tuple[Point, ...]:
    return tuple(point for index, point in enumerate(points) if index not in set(outliers))


def _factor(points: Sequence[Point]) -> float:
    return float(np.median([point.flops / (point.parameters * point.tokens) for point in points]))


def _on_outliers(result: Fit) -> list[str]:
    count = len(result.outliers)
    if not count or result.dropped:
        return []
    what = "is an outlier: look at it" if count == 1 else "are outliers: look at them"
    return [f"{count} of {len(result.points)} points {what}, and fit again without (`drop_outliers`)."]


def _on_resamples(result: Fit, bootstrap: int) -> list[str]:
    lost = bootstrap - len(result.samples)
    if not lost:
        return []
    return [f"{lost} of {bootstrap} resamples hold no fit, for too few runs: the intervals are too narrow."]
