"""A fitted scaling law: its numbers with intervals, what it predicts, and what it cannot say. No torch."""

__all__ = ["FARTHEST", "NUMBERS", "Fit", "FittedLaw"]

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trivium.errors import DataError, UsageError
from trivium.files import atomic_write
from trivium.scaling.bootstrap import enlarged
from trivium.scaling.envelope import FrontierPoint
from trivium.scaling.estimates import Estimate, OptimumEstimate, Prediction, percentile_interval
from trivium.scaling.fit_parametric import Convergence
from trivium.scaling.frontier import FrontierLaw, PowerLaw
from trivium.scaling.isoflop import Valley
from trivium.scaling.parametric import Optimum, ParametricLaw
from trivium.scaling.points import Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: A prediction for more than so many times the largest compute of the data is said to be an extrapolation.
FARTHEST: Final = 10.0
#: Of L(N, D): E, A, B, α and β.
NUMBERS: Final = 5
#: What a fit gives: a law of loss, or of the frontier alone.
FittedLaw = ParametricLaw | FrontierLaw

#: Errors drawn for each law of the bootstrap when a run is predicted.
_ERRORS: Final = 32
_WAY_OUT: Final = "Name a file that `trivium fit points --save` wrote."


@dataclass(frozen=True)
class Fit:
    """A law fitted to points.

    `residuals` are measured less predicted log loss, point by point (approach 2: about parabolas of least absolute
    deviations; None where the approach predicts no loss); `outliers` are the numbers of the points far from the rest,
    which `dropped` says were left out of the law. `samples` are the laws of the bootstrap's resamples, and
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
        """The numbers of the law by name, each with its interval: alpha, beta, E, A, B, and a, b of N_opt and D_opt."""
        of_samples = [_numbers(sample) for sample in self.samples]
        return {
            name: Estimate(value, percentile_interval([numbers[name] for numbers in of_samples]))
            for name, value in _numbers(self.law).items()
        }

    def predict(self, parameters: float | int, tokens: float | int) -> Prediction:
        """The loss of a run of this size and data. Raises `UsageError` where the law says nothing of loss."""
        if not isinstance(self.law, ParametricLaw):
            raise UsageError(f"Approach {self.approach} says which size is best, not its loss. Fit with approach 3.")
        _check_positive({"parameters": parameters, "tokens": tokens})
        loss = self.law.loss(parameters, tokens)
        laws = [sample for sample in self.samples if isinstance(sample, ParametricLaw)]
        left_out = set(self.outliers) if self.dropped else set()
        scatter = [value for index, value in enumerate(self.residuals) if value is not None and index not in left_out]
        drawn = np.random.default_rng(self.seed).choice(enlarged(scatter, NUMBERS), size=(len(laws), _ERRORS))
        of_samples = np.array([sample.loss(parameters, tokens) for sample in laws])
        interval = percentile_interval((of_samples[:, None] * np.exp(drawn)).ravel())
        return Prediction(loss, interval.low, interval.high) if interval else Prediction(loss, loss, loss)

    def optimum(self, flops: float | int) -> OptimumEstimate:
        """The best size and tokens for a budget."""
        _check_positive({"flops": flops})
        of_samples = [self.optimum_of(sample, flops) for sample in self.samples]
        return OptimumEstimate(
            self.optimum_of(self.law, flops),
            percentile_interval([sample.parameters for sample in of_samples]),
            percentile_interval([sample.tokens for sample in of_samples]),
            percentile_interval([sample.loss for sample in of_samples if sample.loss is not None]),
            self.extrapolation(flops),
        )

    def optimum_of(self, law: FittedLaw, flops: float | int) -> Optimum:
        """The best size and tokens by a law of these points: by `law`, or one of `samples`."""
        return law.optimum(flops, self.flops_per_parameter_and_token)

    def extrapolation(self, flops: float | int) -> str | None:
        """What to say of a prediction at so much compute, None within what the points support."""
        times = flops / self.largest_flops
        if times <= FARTHEST:
            return None
        return (
            f"{flops:.3g} FLOPs are {times:,.0f} times the largest compute of the points ({self.largest_flops:.3g}): "
            "the interval knows nothing of what may change on the way."
        )

    def plot(self, budgets: Sequence[float] = ()) -> "Figure":
        """Loss against compute with the frontier, valleys, residuals, and the optimum with its band and `budgets`."""
        from trivium.scaling.plots import draw

        return draw(self, budgets)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, and for `load`."""
        return {
            **asdict(self),
            "kind": "parametric" if isinstance(self.law, ParametricLaw) else "frontier",
            "exponents": {name: asdict(estimate) for name, estimate in self.exponents().items()},
        }

    def save(self, path: Path) -> None:
        """Write the fit as JSON, whole or not at all."""
        atomic_write(path, json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Fit":
        """The fit that `save` wrote. Raises `DataError` where the file is something else."""
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}. {_WAY_OUT}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = f"{type(error).__name__}: {error}"
            raise DataError(f"{path} is not a saved fit ({said:.200}). {_WAY_OUT}") from error

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Fit":
        """The fit that `to_dict` gave."""
        make = {"parametric": _parametric, "frontier": _frontier}[values["kind"]]
        given = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        read = {
            "law": make(values["law"]),
            "points": tuple(Point(**point) for point in values["points"]),
            "residuals": tuple(values["residuals"]),
            "outliers": tuple(values["outliers"]),
            "samples": tuple(make(sample) for sample in values["samples"]),
            "convergence": Convergence(**values["convergence"]) if values["convergence"] else None,
            "frontier": tuple(FrontierPoint(**point) for point in values["frontier"]),
            "valleys": tuple(_valley(valley) for valley in values["valleys"]),
            "warnings": tuple(values["warnings"]),
        }
        return cls(**{**given, **read})


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


def _check_positive(values: Mapping[str, float | int]) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise UsageError(f"{name} = {value} is no size of a run: give a finite number greater than zero.")


def _parametric(values: Mapping[str, Any]) -> FittedLaw:
    return ParametricLaw(**values)


def _frontier(values: Mapping[str, Any]) -> FittedLaw:
    return FrontierLaw(PowerLaw(**values["parameters"]), PowerLaw(**values["tokens"]), values["source"])


def _valley(values: Mapping[str, Any]) -> Valley:
    lowest = FrontierPoint(**values["lowest"]) if values["lowest"] else None
    return Valley(**{**values, "members": tuple(values["members"]), "lowest": lowest})
