"""A fitted scaling law: its numbers with intervals, what it predicts, and what it cannot say. No torch."""

__all__ = ["CONFIDENCE", "FARTHEST", "Estimate", "Fit", "FittedLaw", "OptimumEstimate", "Prediction", "load_fit"]

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from trivium.errors import DataError, UsageError
from trivium.files import atomic_write
from trivium.scaling.bootstrap import Interval, percentile_interval
from trivium.scaling.envelope import FrontierPoint
from trivium.scaling.fit_parametric import Convergence
from trivium.scaling.frontier import FrontierLaw, PowerLaw
from trivium.scaling.isoflop import Valley
from trivium.scaling.parametric import Optimum, ParametricLaw
from trivium.scaling.points import Point

#: Of every interval.
CONFIDENCE: Final = 0.9
#: A prediction for more than so many times the largest compute of the data is said to be an extrapolation.
FARTHEST: Final = 10.0

#: What a fit gives: a law of loss, or of the frontier alone.
FittedLaw = ParametricLaw | FrontierLaw

_WAY_OUT: Final = "Name a file that `trivium fit points --save` wrote."


class Prediction(NamedTuple):
    """The loss of a run that is not trained yet, in nats a token, and where it will lie with the fit's confidence.

    The interval holds both what the fit does not know and how much single runs scatter about the law.
    """

    loss: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A number of a law and its interval; None without a bootstrap."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class OptimumEstimate:
    """The best size and tokens for a budget, with intervals. `loss` is None where the law does not say."""

    optimum: Optimum
    parameters: Interval | None
    tokens: Interval | None
    loss: Interval | None
    warning: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "optimum": self.optimum.to_dict()}


@dataclass(frozen=True)
class Fit:
    """A law fitted to points.

    `residuals` are measured less predicted log loss, point by point (by approach 2's parabolas of all points; None
    where the approach predicts no loss); `outliers` are the numbers of the points far from the rest, which `dropped`
    says were left out of the law. `samples` are the laws of the bootstrap's resamples, and
    `flops_per_parameter_and_token` what the points' FLOPs are over N D.
    """

    approach: int
    law: FittedLaw
    points: tuple[Point, ...]
    residuals: tuple[float | None, ...]
    outliers: tuple[int, ...]
    dropped: bool
    samples: tuple[FittedLaw, ...]
    flops_per_parameter_and_token: float
    seed: int
    convergence: Convergence | None = None
    frontier: tuple[FrontierPoint, ...] = ()
    valleys: tuple[Valley, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def largest_flops(self) -> float:
        """The largest compute of the points."""
        return max(point.flops for point in self.points)

    def exponents(self) -> dict[str, Estimate]:
        """The numbers of the law by name, each with its interval."""
        of_samples = [_numbers(sample) for sample in self.samples]
        return {
            name: Estimate(value, _interval([numbers[name] for numbers in of_samples]))
            for name, value in _numbers(self.law).items()
        }

    def predict(self, parameters: float | int, tokens: float | int) -> Prediction:
        """The loss of a run of this size and data. Raises `UsageError` where the law says nothing of loss."""
        if not isinstance(self.law, ParametricLaw):
            raise UsageError(f"Approach {self.approach} says which size is best, not its loss. Fit with approach 3.")
        _check_positive({"parameters": parameters, "tokens": tokens})
        loss = self.law.loss(parameters, tokens)
        if not self.samples:
            return Prediction(loss, loss, loss)
        left_out = set(self.outliers) if self.dropped else set()
        scatter = [value for index, value in enumerate(self.residuals) if value is not None and index not in left_out]
        drawn = np.random.default_rng(self.seed).choice(scatter, size=(len(self.samples), 32))
        laws = [sample for sample in self.samples if isinstance(sample, ParametricLaw)]
        of_samples = np.array([sample.loss(parameters, tokens) for sample in laws])
        interval = percentile_interval((of_samples[:, None] * np.exp(drawn)).ravel(), CONFIDENCE)
        return Prediction(loss, interval.low, interval.high)

    def optimum(self, flops: float | int) -> OptimumEstimate:
        """The best size and tokens for a budget."""
        _check_positive({"flops": flops})
        found = self._optimum_of(self.law, flops)
        of_samples = [self._optimum_of(sample, flops) for sample in self.samples]
        losses = [sample.loss for sample in of_samples if sample.loss is not None]
        return OptimumEstimate(
            found,
            _interval([sample.parameters for sample in of_samples]),
            _interval([sample.tokens for sample in of_samples]),
            _interval(losses),
            self.extrapolation(flops),
        )

    def extrapolation(self, flops: float | int) -> str | None:
        """What to say of a prediction at so much compute, None within what the points support."""
        times = flops / self.largest_flops
        if times <= FARTHEST:
            return None
        return (
            f"{flops:.3g} FLOPs are {times:,.0f} times the largest compute of the points ({self.largest_flops:.3g}): "
            "the interval knows nothing of what may change on the way."
        )

    def _optimum_of(self, law: FittedLaw, flops: float | int) -> Optimum:
        if isinstance(law, ParametricLaw):
            return law.optimum(flops, self.flops_per_parameter_and_token)
        return law.optimum(flops)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, and for `load_fit`."""
        return {
            **asdict(self),
            "kind": "parametric" if isinstance(self.law, ParametricLaw) else "frontier",
            "exponents": {name: asdict(estimate) for name, estimate in self.exponents().items()},
        }

    def save(self, path: Path) -> None:
        """Write the fit as JSON, whole or not at all."""
        atomic_write(path, json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")


def load_fit(path: Path) -> Fit:
    """The fit that `save` wrote. Raises `DataError` where the file is something else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        make = _parametric if values["kind"] == "parametric" else _frontier
        return Fit(
            approach=values["approach"],
            law=make(values["law"]),
            points=tuple(Point(**point) for point in values["points"]),
            residuals=tuple(values["residuals"]),
            outliers=tuple(values["outliers"]),
            dropped=values["dropped"],
            samples=tuple(make(sample) for sample in values["samples"]),
            flops_per_parameter_and_token=values["flops_per_parameter_and_token"],
            seed=values["seed"],
            convergence=Convergence(**values["convergence"]) if values["convergence"] else None,
            frontier=tuple(FrontierPoint(**point) for point in values["frontier"]),
            valleys=tuple(_valley(valley) for valley in values["valleys"]),
            warnings=tuple(values["warnings"]),
        )
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {_WAY_OUT}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not a saved fit ({type(error).__name__}: {error}). {_WAY_OUT}") from error


def _numbers(law: FittedLaw) -> dict[str, float]:
    if isinstance(law, FrontierLaw):
        return {"a": law.parameters.exponent, "b": law.tokens.exponent}
    return {
        "alpha": law.size_exponent,
        "beta": law.data_exponent,
        "E": law.irreducible,
        "A": law.size_scale,
        "B": law.data_scale,
        "a": law.size_share,
        "b": 1 - law.size_share,
    }


def _interval(values: Sequence[float]) -> Interval | None:
    return percentile_interval(np.asarray(values, dtype=float), CONFIDENCE) if len(values) else None


def _check_positive(values: Mapping[str, float | int]) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise UsageError(f"{name} = {value} is no size of a run: give a finite number greater than zero.")


def _valley(values: Mapping[str, Any]) -> Valley:
    lowest = FrontierPoint(**values["lowest"]) if values["lowest"] else None
    return Valley(**{**values, "members": tuple(values["members"]), "lowest": lowest})


def _parametric(values: Mapping[str, Any]) -> ParametricLaw:
    return ParametricLaw(**values)


def _frontier(values: Mapping[str, Any]) -> FrontierLaw:
    return FrontierLaw(PowerLaw(**values["parameters"]), PowerLaw(**values["tokens"]), values["source"])
