"""Fits of the same points by one approach or several, beside what was published, as tables and as plain data. No torch.

number    approach 1     approach 3                  Chinchilla    Kaplan et al.
a         0.49 (...)     0.46 (0.44 to 0.48)         ...           0.73
"""

__all__ = ["KAPLAN", "PUBLISHED", "FitReport", "fit_report"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trivium.errors import DataError
from trivium.scaling.estimates import CONFIDENCE, Interval, OptimumEstimate, Prediction
from trivium.scaling.fit import fit
from trivium.scaling.fit_kaplan import KaplanFit, fit_kaplan
from trivium.scaling.fitted import Fit
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point

#: Number -> approach -> what Hoffmann et al. 2022 found (table 2; section 3.3 for α and β).
PUBLISHED: Final[Mapping[str, Mapping[int, float]]] = {
    "a": {1: 0.50, 2: 0.49, 3: 0.46},
    "b": {1: 0.50, 2: 0.51, 3: 0.54},
    "alpha": {3: 0.34},
    "beta": {3: 0.28},
}
#: What Kaplan et al. 2020 found: table 6, and for their own forms tables 5 and 2.
KAPLAN: Final[Mapping[str, float]] = {
    "a": 0.73,
    "b": 0.27,
    "α_N: L(N) = (N_c/N)^α_N": 0.076,
    "α_D: L(D) = (D_c/D)^α_D": 0.095,
    "α_C: L(C) = (C_c/C)^α_C": 0.057,
    "α_N of L(N, D)": 0.076,
    "α_D of L(N, D)": 0.103,
}

_MEANING: Final[Mapping[str, str]] = {
    "a": "a: N_opt ∝ C^a",
    "b": "b: D_opt ∝ C^b",
    "alpha": "α: A / N^α",
    "beta": "β: B / D^β",
    "E": "E, nats a token",
    "A": "A",
    "B": "B",
}
_OUTLIERS_SHOWN: Final = 8


@dataclass(frozen=True)
class FitReport:
    """The fits, why an approach could not be fitted, and what they say of budgets and of single runs."""

    fits: tuple[Fit, ...]
    failed: Mapping[int, str]
    optima: tuple[tuple[int, OptimumEstimate], ...]
    predictions: tuple[tuple[float, float, Prediction], ...]
    kaplan: KaplanFit | None = None

    @property
    def title(self) -> str:
        """What was fitted to how much."""
        points = self.fits[0].points
        runs = len({point.run for point in points if point.run})
        of_runs = f" of {runs:,} runs" if runs else ""
        sizes, compute = _range(points, "parameters"), _range(points, "flops")
        return f"{len(points):,} points{of_runs}, {sizes} parameters, {compute} FLOPs"

    def numbers(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """A row for every number of every law, with its interval and what was published."""
        rows: list[Sequence[object]] = []
        for found in self.fits:
            for name, estimate in sorted(found.exponents().items(), key=lambda item: list(_MEANING).index(item[0])):
                published = PUBLISHED.get(name, {}).get(found.approach)
                kaplan = KAPLAN.get(name)
                value = f"{estimate.value:.4g}"
                rows.append(
                    (str(found.approach), _MEANING[name], value, _shown(estimate.interval, 4), published, kaplan)
                )
        if self.kaplan is not None:
            fitted = (self.kaplan.size, self.kaplan.data, self.kaplan.compute)
            powers = (*fitted, self.kaplan.joint_size, self.kaplan.joint_data)
            names = [name for name in KAPLAN if "L(" in name]
            rows += [
                ("Kaplan", name, None if power is None else f"{power.exponent:.4g}", "", None, KAPLAN[name])
                for name, power in zip(names, powers, strict=True)
            ]
        return ("approach", "number", "fitted", f"{CONFIDENCE:.0%} interval", "Chinchilla", "Kaplan"), rows

    def budgets(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """A row for every budget and approach: the best size and tokens."""
        rows: list[Sequence[object]] = [
            (
                f"{found.optimum.flops:.3g}",
                str(approach),
                f"{found.optimum.parameters:.3g}",
                _shown(found.parameters),
                f"{found.optimum.tokens:.3g}",
                _shown(found.tokens),
                f"{found.optimum.tokens_per_parameter:.3g}",
                "" if found.optimum.loss is None else f"{found.optimum.loss:.4g}",
                _shown(found.loss, 4),
            )
            for approach, found in self.optima
        ]
        return ("FLOPs", "approach", "parameters", "", "tokens", "", "D/N", "loss", ""), rows

    def runs(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """A row for every run whose loss is predicted."""
        rows: list[Sequence[object]] = [
            (f"{parameters:.3g}", f"{tokens:.3g}", f"{found.loss:.4g}", _shown(Interval(found.low, found.high), 4))
            for parameters, tokens, found in self.predictions
        ]
        return ("parameters", "tokens", "loss", f"{CONFIDENCE:.0%} interval"), rows

    def lines(self) -> list[tuple[str, str]]:
        """How sure the fits are: convergence, outliers, warnings."""
        said = []
        for found in self.fits:
            name = f"approach {found.approach}"
            if found.convergence is not None:
                said.append((name, _converged(found)))
            said += [(name, f"outlier: {_outlier(found, index)}") for index in found.outliers[:_OUTLIERS_SHOWN]]
            if len(found.outliers) > _OUTLIERS_SHOWN:
                said.append((name, f"and {len(found.outliers) - _OUTLIERS_SHOWN} outliers more"))
            said += [(name, f"warning: {warning}") for warning in found.warnings]
        said += [(f"approach {approach}", f"not fitted: {why}") for approach, why in self.failed.items()]
        beyond = dict.fromkeys(found.warning for _, found in self.optima if found.warning)
        return said + [("beyond", warning) for warning in beyond]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report; the laws of the resamples are in a saved fit only."""
        fits = [{name: value for name, value in found.to_dict().items() if name != "samples"} for found in self.fits]
        return {
            "fits": fits,
            "failed": {str(approach): why for approach, why in self.failed.items()},
            "kaplan": None if self.kaplan is None else self.kaplan.to_dict(),
            "optima": [{"approach": approach, **found.to_dict()} for approach, found in self.optima],
            "predictions": [
                {"parameters": parameters, "tokens": tokens, **found._asdict()}
                for parameters, tokens, found in self.predictions
            ],
        }


def fit_report(
    points_of: Mapping[int, Sequence[Point]],
    *,
    bootstrap: int = 200,
    drop_outliers: bool = False,
    budgets: Sequence[float] = (),
    runs: Sequence[tuple[float, float]] = (),
    kaplan: bool = False,
) -> FitReport:
    """Fit by each approach the points that are for it. Where several are asked for, one that cannot be is said so.

    With `kaplan` the forms of Kaplan et al. 2020 are fitted too, to the points of the last approach.

    Raises `DataError` where none can be fitted.
    """
    fits, failed = [], {}
    for approach, points in points_of.items():
        try:
            fits.append(fit(points, approach, bootstrap, drop_outliers=drop_outliers))
        except DataError as error:
            failed[approach] = str(error)
            if len(failed) == len(points_of):
                raise
    laws_of_loss = [found for found in fits if isinstance(found.law, ParametricLaw)]
    predicted = [(size, tokens, found.predict(size, tokens)) for found in laws_of_loss for size, tokens in runs]
    optima = [(found.approach, found.optimum(budget)) for budget in budgets for found in fits]
    forms = fit_kaplan(list(points_of.values())[-1]) if kaplan else None
    return FitReport(tuple(fits), failed, tuple(optima), tuple(predicted), forms)


def _range(points: Sequence[Point], name: str) -> str:
    values = [getattr(point, name) for point in points]
    return f"{min(values):.3g} to {max(values):.3g}"


def _shown(interval: Interval | None, digits: int = 3) -> str:
    return "" if interval is None else f"{interval.low:.{digits}g} to {interval.high:.{digits}g}"


def _converged(found: Fit) -> str:
    convergence = found.convergence
    assert convergence is not None
    how = "converged" if convergence.converged else "did not converge"
    checked = "found the same" if convergence.confirmed else "found another minimum: look at the residuals"
    return (
        f"{how}: of {convergence.starts:,} starts the best {convergence.polished} were followed to the end, "
        f"{convergence.agreeing} of them to the lowest minimum; variable projection {checked}"
    )


def _outlier(found: Fit, index: int) -> str:
    point, residual = found.points[index], found.residuals[index]
    assert residual is not None
    run = f" ({point.run})" if point.run else ""
    done = ", left out" if found.dropped else ""
    return f"N = {point.parameters:.3g}, D = {point.tokens:.3g}, loss {point.loss:.4g}{run}, {residual:+.1%} off{done}"
