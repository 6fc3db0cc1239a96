"""Approaches 1 and 2 to their power laws, with the laws of resamples. No torch."""

__all__ = ["FrontierFit", "fit_envelope", "fit_isoflop"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from trivium.errors import DataError
from trivium.scaling.bootstrap import run_numbers, run_weights
from trivium.scaling.cautions import distinct
from trivium.scaling.envelope import FrontierPoint, curves_of, lowest_of
from trivium.scaling.frontier import FrontierLaw, power_law
from trivium.scaling.isoflop import TOLERANCE, Valley, steady_residuals, valleys_of
from trivium.scaling.points import Point

#: Of the envelope's values, the part that a fit keeps to show.
_SHOWN_EVERY = 10


@dataclass(frozen=True)
class FrontierFit:
    """Two power laws and what they were drawn through. Residuals are of the points that a valley holds."""

    law: FrontierLaw
    samples: tuple[FrontierLaw, ...]
    frontier: tuple[FrontierPoint, ...]
    valleys: tuple[Valley, ...]
    residuals: tuple[float | None, ...]
    warnings: tuple[str, ...]


def fit_envelope(points: Sequence[Point], bootstrap: int, seed: int) -> FrontierFit:
    """Power laws through the envelope of training curves. Raises `DataError` where there are no curves."""
    curves = curves_of(points)
    lowest, ends_left_out = lowest_of(curves)
    law = _through(lowest, f"the envelope of {len(curves.names)} training curves")
    if law is None:
        raise DataError(
            "One size is lowest at every compute, so the envelope shows no best size that grows. Add curves of smaller "
            "and larger models, long enough to cross."
        )
    weights = run_weights(
        np.arange(len(curves.names)), bootstrap, seed, lambda drawn: distinct(curves.sizes[drawn]) >= 3
    )
    said = []
    if not ends_left_out:
        said.append(
            "Too few sizes take their turn at the lowest loss: the smallest and the largest, which have no rival "
            "beyond them, are in the law too, and make its exponents too small."
        )
    samples = [_through(lowest_of(curves, row)[0], law.source) for row in weights]
    laws = tuple(sample for sample in samples if sample is not None)
    shown = tuple(FrontierPoint(*map(float, row)) for row in lowest[::_SHOWN_EVERY])
    return FrontierFit(law, laws, shown, (), (None,) * len(points), tuple(said))


def fit_isoflop(points: Sequence[Point], bootstrap: int, seed: int, tolerance: float = TOLERANCE) -> FrontierFit:
    """Power laws through the minima of valleys. Raises `DataError` with fewer than two usable ones."""
    valleys = valleys_of(points, tolerance)
    frontier = [valley.lowest for valley in valleys if valley.lowest is not None]
    law = _through(_rows(frontier), f"the minima of {len(frontier)} valleys")
    if law is None:
        why = "; ".join(f"at {valley.flops:.3g} FLOPs {valley.reason}" for valley in valleys if valley.reason)
        raise DataError(
            f"{len(frontier)} of {len(valleys)} budgets with three sizes or more show a best size, and a law needs two"
            f"{': ' + why if why else ''}. Train sizes on both sides of the best at each budget, or use approach 3."
        )
    weights = run_weights(run_numbers(points), bootstrap, seed, lambda drawn: bool(drawn.any()))
    samples = []
    for row in weights:
        lowest = [valley.lowest for valley in valleys_of(points, tolerance, row)]
        samples.append(_through(_rows([found for found in lowest if found is not None]), law.source))
    residuals: list[float | None] = [None] * len(points)
    for valley in valleys:
        for index, residual in zip(valley.members, steady_residuals(points, valley.members), strict=True):
            residuals[index] = float(residual)
    said = [
        f"The valley at {valley.flops:.3g} FLOPs is left out: {valley.reason}." for valley in valleys if valley.reason
    ]
    if len(frontier) == 2:
        said.append("Two valleys draw a line whatever they are: a third would test it.")
    laws = tuple(sample for sample in samples if sample is not None)
    return FrontierFit(law, laws, tuple(frontier), tuple(valleys), tuple(residuals), tuple(said))


def _rows(frontier: Sequence[FrontierPoint]) -> Float[np.ndarray, "K 4"]:
    rows = [(point.flops, point.parameters, point.tokens, point.loss) for point in frontier]
    return np.array(rows, dtype=float).reshape(-1, 4)


def _through(lowest: Float[np.ndarray, "K 4"], source: str) -> FrontierLaw | None:
    """Power laws through rows of C, N, D and L; None where they are of one size or one compute."""
    flops, sizes, tokens, _ = lowest.T
    if min(distinct(np.unique(sizes)), distinct(np.unique(flops))) < 2:
        return None
    return FrontierLaw(power_law(flops, sizes), power_law(flops, tokens), source)
