"""What a ladder's losses say of a large run: the law, how well it foretold the largest rung, the run and its loss.

N: parameters    D: tokens    C: FLOPs    L: held-out loss in nats a target

In small models the tables of tokens and positions are a large part of N, and whether they count changes the law. So
both ways are tried on what is known: the law is fitted to all sizes but the largest, and the count that foretells the
largest better is taken (all parameters where there are too few sizes to leave one out).
"""

__all__ = ["Forecast", "Target", "forecast", "frontier", "target_for"]

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trivium.architecture import Architecture
from trivium.errors import BudgetError
from trivium.plan.shapes import shapes
from trivium.project.ladder import LadderPlan, step_flops
from trivium.project.prepare import Material
from trivium.project.rungs import MeasuredRun
from trivium.scaling.fit import fit
from trivium.scaling.fit_parametric import fit_parametric, problem_of
from trivium.scaling.fitted import Fit
from trivium.scaling.law import Size
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point

_SIZES: tuple[Size, ...] = ("all", "non-embedding")
#: With fewer sizes none can be left out.
_FEWEST_SIZES = 4
#: A run of fewer steps is hardly more than its warm-up.
_FEWEST_STEPS = 100


@dataclass(frozen=True)
class Forecast:
    """The law of a ladder. `size` says what its N counts; `errors` are log predicted less log measured loss.

    Those are of the largest size's runs, foretold by the others, for each way to count that was tried.
    """

    size: Size
    fit: Fit
    errors: dict[Size, tuple[float, ...]]

    @property
    def backtest(self) -> float | None:
        """The largest error of the chosen count on the largest size, as a part of the loss; None where not tried."""
        return max((abs(error) for error in self.errors[self.size]), default=None) if self.errors else None

    def loss(self, parameters: int, body_parameters: int, tokens: float) -> tuple[float, float, float]:
        """The loss of a run, and its interval: the fit's, or that of the back-test where it is wider."""
        loss, low, high = self.fit.predict(parameters if self.size == "all" else body_parameters, tokens)
        doubt = math.exp(self.backtest or 0.0)
        return loss, min(low, loss / doubt), max(high, loss * doubt)

    def law(self, parameters: int, body_parameters: int, tokens: float) -> float:
        """The law's loss alone."""
        law = self.fit.law
        assert isinstance(law, ParametricLaw)
        return law.loss(parameters if self.size == "all" else body_parameters, tokens)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a file."""
        return {"size": self.size, "backtest": self.backtest, "errors": self.errors, "fit": self.fit.to_dict()}


@dataclass(frozen=True)
class Target:
    """A large run and what is predicted of it, before it is trained.

    `times` are its FLOPs over those of the largest rung; `seconds` is its time at the rate of the largest size.
    """

    dim: int
    depth: int
    parameters: int
    body_parameters: int
    steps: int
    tokens: float
    flops: float
    times: float
    seconds: float
    loss: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a file."""
        return asdict(self)


def forecast(runs: Sequence[MeasuredRun]) -> Forecast:
    """Fit the law to a ladder's runs. Raises `DataError` where they cannot hold one."""
    dims = sorted({run.dim for run in runs})
    errors: dict[Size, tuple[float, ...]] = {}
    if len(dims) >= _FEWEST_SIZES:
        errors = {size: _foretold(runs, dims[-1], size) for size in _SIZES}
    size = min(errors, key=lambda each: sum(error**2 for error in errors[each])) if errors else _SIZES[0]
    return Forecast(size, fit(_points(runs, size)), errors)


def target_for(
    found: Forecast, material: Material, plan: LadderPlan, flops: float | int, tokens_per_parameter: float | int
) -> Target:
    """The run that `trivium run` would take for `flops`: of the shapes, the one nearest to `tokens_per_parameter`.

    Not the one of the law's lowest loss: exponents that few points leave open would choose a model far from all that
    was measured.

    Raises `BudgetError` where the compute is no more than that of the largest rung.
    """
    largest, rung = plan.largest_flops, plan.rungs[-1]
    if flops <= largest:
        raise BudgetError(
            f"The target's {flops:.3g} FLOPs are no more than those of the ladder's largest run ({largest:.3g}), whose "
            'loss is measured. Give a larger --target, such as "8x".'
        )
    best = _nearest(material, plan, flops, tokens_per_parameter)
    step = step_flops(material, best, rung.rows, plan.row_targets)
    steps = math.ceil(flops / step)
    size = (best.parameters, best.non_embedding_parameters)
    loss, low, high = found.loss(*size, steps * rung.step_tokens)
    return Target(
        dim=best.dim,
        depth=best.output_stack.depth,
        parameters=size[0],
        body_parameters=size[1],
        steps=steps,
        tokens=steps * rung.step_tokens,
        flops=steps * step,
        times=steps * step / largest,
        seconds=steps * step / plan.flops_per_second,
        loss=loss,
        low=low,
        high=high,
    )


def frontier(found: Forecast, material: Material, plan: LadderPlan, flops: Sequence[float]) -> list[float]:
    """The law's lowest loss for each compute, among the shapes that can be built."""
    rung, losses = plan.rungs[-1], []
    for each in flops:
        best = _cheapest(found, material, plan, each)
        tokens = each / step_flops(material, best, rung.rows, plan.row_targets) * rung.step_tokens
        losses.append(found.law(best.parameters, best.non_embedding_parameters, tokens))
    return losses


def _nearest(material: Material, plan: LadderPlan, flops: float | int, ratio: float | int) -> Architecture:
    """The shape whose tokens a parameter for `flops` are nearest to `ratio`."""
    rung, least = plan.rungs[-1], math.inf
    for each in shapes(material.family, material.tokenizer.vocabulary, material.length):
        steps = flops / step_flops(material, each, rung.rows, plan.row_targets)
        distance = abs(math.log(steps * rung.step_tokens / each.parameters / ratio))
        if distance > least:
            break
        least, chosen = distance, each
    return chosen


def _cheapest(found: Forecast, material: Material, plan: LadderPlan, flops: float | int) -> Architecture:
    """The shape of lowest loss for `flops`."""
    rung = plan.rungs[-1]
    options: list[tuple[float, int, Architecture]] = []
    for each in shapes(material.family, material.tokenizer.vocabulary, material.length):
        steps = flops / step_flops(material, each, rung.rows, plan.row_targets)
        if options and steps < _FEWEST_STEPS:
            break
        loss = found.law(each.parameters, each.non_embedding_parameters, steps * rung.step_tokens)
        options.append((loss, each.dim, each))
    return min(options)[-1]


def _foretold(runs: Sequence[MeasuredRun], dim: int, size: Size) -> tuple[float, ...]:
    law, _ = fit_parametric(problem_of(_points([run for run in runs if run.dim != dim], size)))
    points = _points([run for run in runs if run.dim == dim], size)
    return tuple(math.log(law.loss(point.parameters, point.tokens) / point.loss) for point in points)


def _points(runs: Sequence[MeasuredRun], size: Size) -> list[Point]:
    return [
        Point(
            parameters=float(run.parameters if size == "all" else run.body_parameters),
            tokens=float(run.tokens),
            flops=run.flops,
            loss=run.loss,
            run=f"width {run.dim}",
        )
        for run in runs
    ]
