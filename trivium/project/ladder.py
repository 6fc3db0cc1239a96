"""The plan of a ladder: which small models, trained on how many tokens, say most about a large one within the time.

Every size gets an equal part of the time. The largest is the largest that reaches five tokens a parameter in its part:
below, a loss says more of the first steps than of the size. The smallest has about a twelfth of its parameters, and
reads far more for each, so that the tokens of the largest run that one may want to predict are spanned by some size,
and so is the curve of both sides of the optimum. Every size is measured at four token counts, up to a factor of four
apart (`rungs.py`).

What would make the losses of two sizes incomparable is the same for all: the tokens of a step, the warm-up in steps,
the order of the data, the part of a run that decays, and the held-out rows. N and C are exact counts of the
architecture; D is the tokens read.
"""

__all__ = ["Design", "LadderPlan", "ladder_project", "ladder_settings", "plan_ladder", "step_flops"]

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from trivium.architecture import Architecture
from trivium.errors import BudgetError, UsageError, nearest
from trivium.families.registry import FAMILIES
from trivium.objectives.batch import Batch
from trivium.plan.calibration import StepTime, time_step
from trivium.plan.machine import Machine
from trivium.plan.shapes import WIDTHS, shape
from trivium.project.estimate import settings_of
from trivium.project.prepare import Material
from trivium.project.rungs import DECAY, Rung, taken_steps
from trivium.project.schema import Project
from trivium.train.settings import TrainSettings

#: Where the file does not say: steps of a size at which small models still learn much from each.
_DEFAULTS: dict[str, Any] = {"batch_tokens": 2048, "optimizer": "muon", "learning_rate": 0.02, "warmup_steps": 20}
#: The same for every run, whatever the file says: without it no two runs share their steps.
_FIXED: dict[str, Any] = {"schedule": "wsd", "decay_fraction": DECAY, "floor": 0.0}
#: Below, no law can be fitted.
_FEWEST_SIZES = 3
#: Part of the time that training may take; measuring, checkpoints and the fit take the rest.
_FOR_STEPS = 0.85


@dataclass(frozen=True)
class Design:
    """What a ladder is made of.

    `sizes` at most, up to a factor of `span` apart in parameters, and `runs` of each, up to a factor of `reach` apart
    in tokens. The shortest has `fewest_steps`: in the first steps the loss falls faster than by any power law. The
    largest size reads `tokens_per_parameter` or more, and no run the text more than `most_epochs` times: up to four are
    nearly as good as new text (Muennighoff et al. 2023). Losses are measured on `held_out_targets`, enough for a
    standard error of about 0.3 %.
    """

    sizes: int = 5
    span: float = 12.0
    runs: int = 4
    reach: float = 4.0
    fewest_steps: int = 120
    tokens_per_parameter: float = 5.0
    most_epochs: float = 4.0
    held_out_targets: int = 65_536

    @property
    def least_steps(self) -> int:
        """Of a size's longest run: twice the shortest one's, or it says little of how loss depends on tokens."""
        return 2 * self.fewest_steps

    def lengths(self, longest: int) -> tuple[int, ...]:
        """The steps of a size's runs, evenly apart in their logarithms, up to `longest`."""
        reach = min(self.reach, max(1.0, longest / self.fewest_steps))
        parts = (reach ** (number / (self.runs - 1) - 1) for number in range(self.runs))
        return tuple(sorted({max(1, round(part * longest)) for part in parts}))

    def longest(self, steps: float | int) -> int:
        """The longest run of a size whose runs take so many steps together: the others add their decays."""
        longest = int(steps)
        while longest > 4 and taken_steps(self.lengths(longest)) > steps:
            longest -= max(1, longest // 200)
        return max(4, longest)


_DESIGN = Design()


@dataclass(frozen=True)
class LadderPlan:
    """The rungs, smallest first, the held-out rows that all are measured on, and how many targets a row has."""

    rungs: tuple[Rung, ...]
    held_out_rows: int
    row_targets: float

    @property
    def seconds(self) -> float:
        """What the steps are expected to take."""
        return sum(rung.taken_steps * rung.step_seconds for rung in self.rungs)

    @property
    def flops(self) -> float:
        """Of the steps that are taken."""
        return sum(rung.taken_steps * rung.step_flops for rung in self.rungs)

    @property
    def separate_flops(self) -> float:
        """What the same runs would take if they shared nothing."""
        return sum(sum(rung.steps) * rung.step_flops for rung in self.rungs)

    @property
    def largest_flops(self) -> float:
        """Of the run that computes most."""
        return max(rung.steps[-1] * rung.step_flops for rung in self.rungs)

    @property
    def flops_per_second(self) -> float:
        """The rate of the largest size's steps."""
        return self.rungs[-1].step_flops / self.rungs[-1].step_seconds

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the plan's file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "LadderPlan":
        """The plan that `to_dict` gave."""
        rungs = tuple(Rung.from_dict(rung) for rung in values["rungs"])
        return cls(rungs, values["held_out_rows"], values["row_targets"])


def ladder_project(project: Project, family: str, out: Path) -> Project:
    """The project of one family in a folder of its own, with the settings that all runs of a ladder share."""
    if family not in FAMILIES:
        raise UsageError(f"There is no family '{family}'.{nearest(family, FAMILIES)} There are: {', '.join(FAMILIES)}.")
    objectives = {name: chosen for name, chosen in project.model.objectives.items() if name == family}
    model = project.model.model_copy(update={"families": (family,), "objectives": objectives, "dim": None})
    scope = project.scope.model_copy(update={"out": out})
    return project.model_copy(
        update={"scope": scope, "model": model, "train": {**_DEFAULTS, **project.train, **_FIXED}}
    )


def ladder_settings(project: Project, material: Material, rung: Rung) -> Callable[[int], TrainSettings]:
    """The settings of a rung's run of so many steps."""
    return lambda steps: settings_of(project, material, steps, rung.parameters)


def plan_ladder(
    project: Project,
    material: Material,
    machine: Machine,
    device: torch.device,
    seconds: float | int,
    design: Design = _DESIGN,
) -> LadderPlan:
    """The ladder of a project that `ladder_project` made, within `seconds`, by steps that are really timed here.

    Raises `BudgetError` where the time does not hold three sizes.
    """
    candidates = _Candidates(project, material, machine, device, min(0.7, 0.01 * seconds), design)
    share = {count: _FOR_STEPS * seconds / count for count in range(_FEWEST_SIZES, design.sizes + 1)}

    def affordable(largest: int) -> bool:
        sizes = _sizes(candidates.parameters, largest, design)
        rung = candidates.rung(WIDTHS[largest], share[len(sizes)])
        enough = rung.steps[-1] * rung.step_tokens >= design.tokens_per_parameter * rung.parameters
        return enough and rung.steps[-1] >= design.least_steps

    smallest = _FEWEST_SIZES - 1
    if not affordable(smallest):
        needed = _FEWEST_SIZES * candidates.least_seconds(WIDTHS[smallest]) / _FOR_STEPS
        raise BudgetError(
            f"A ladder needs three sizes, and the three smallest of {material.family.name} with "
            f"{material.tokenizer.vocabulary:,} ids take about {needed / 60:.2g} minutes on this machine; "
            f"{seconds / 60:.2g} are given. Give more minutes, a smaller vocabulary, or a smaller train.batch_tokens."
        )
    largest = _last(affordable, smallest, len(WIDTHS) - 1)
    sizes = _sizes(candidates.parameters, largest, design)
    top = candidates.rung(WIDTHS[sizes[-1]], share[len(sizes)])
    most = round(8 * top.steps[-1])
    rungs = [candidates.rung(WIDTHS[size], share[len(sizes)], most) for size in sizes]
    targets = candidates.row_targets
    available = sum(part.tokens for part in material.held_out) // max(1, sum(material.objective.capacity))
    rows = max(1, min(available + 1, math.ceil(design.held_out_targets / targets)))
    return LadderPlan(tuple(rungs), rows, targets)


def step_flops(material: Material, architecture: Architecture, rows: int, row_targets: float | int) -> float:
    """FLOPs of a training step, exact for rows that are full and have so many targets."""
    inputs, *outputs = material.objective.capacity
    return float(rows * architecture.training_flops(inputs, outputs[0] if outputs else None, round(row_targets)))


class _Candidates:
    """Sizes with what a step of each takes; every width is timed once."""

    def __init__(
        self,
        project: Project,
        material: Material,
        machine: Machine,
        device: torch.device,
        seconds: float | int,
        design: Design,
    ) -> None:
        self.design = design
        self.material, self.machine, self.device, self.seconds = material, machine, device, seconds
        self.settings = settings_of(project, material, steps=1_000_000, parameters=1)
        self.rows = self.settings.rows(1)
        self.loader = material.loader(project.scope.seed)
        self.timed = functools.cache(self._timed)
        self.batches = functools.cache(self._batches)

    @property
    def row_targets(self) -> float:
        """Targets of a row, on average over a step."""
        return sum(batch.target_tokens for batch in self.batches(0)) / self.rows

    def architecture(self, dim: int) -> Architecture:
        return shape(self.material.family, dim, self.material.tokenizer.vocabulary, self.material.length)

    def parameters(self, dim: int) -> int:
        return self.architecture(dim).parameters

    def least_seconds(self, dim: int) -> float:
        """The time of the shortest runs that say something of a size."""
        timed, tokens = self.timed(dim), self.design.tokens_per_parameter * self.parameters(dim)
        steps = math.ceil(max(self.design.least_steps, tokens / timed.tokens))
        return timed.seconds * taken_steps(self.design.lengths(steps))

    def rung(self, dim: int, seconds: float, most_steps: int | None = None) -> Rung:
        """A size with runs that take so many seconds together, by its share and within the data."""
        architecture, timed = self.architecture(dim), self.timed(dim)
        steps = self.design.longest(seconds / timed.seconds)
        text = sum(source.documents.tokens for source in self.material.sources)
        longest = max(4, int(min(steps, self.design.most_epochs * text / timed.tokens, most_steps or math.inf)))
        return Rung(
            dim=dim,
            depth=architecture.output_stack.depth,
            parameters=architecture.parameters,
            body_parameters=architecture.non_embedding_parameters,
            rows=self.rows,
            step_tokens=timed.tokens,
            step_flops=step_flops(self.material, architecture, self.rows, self.row_targets),
            step_seconds=timed.seconds,
            steps=self.design.lengths(longest),
        )

    def _batches(self, step: int) -> tuple[Batch, ...]:
        return tuple(self.loader.micro_batches(step, self.rows, self.rows // self.settings.accumulation))

    def _timed(self, dim: int) -> StepTime:
        precision = self.machine.precision
        return time_step(self.architecture(dim), self.batches, self.settings, precision, self.device, self.seconds)


def _sizes(parameters: Callable[[int], int], largest: int, design: Design) -> list[int]:
    """Places in `WIDTHS` of three to five sizes, evenly apart in log N, up to `largest`."""
    counts = [parameters(dim) for dim in WIDTHS[: largest + 1]]
    smallest = next(place for place, count in enumerate(counts) if count * design.span >= counts[largest])
    smallest = min(smallest, largest - _FEWEST_SIZES + 1)
    span = counts[largest] / counts[smallest]
    wanted = [counts[smallest] * span ** (part / (design.sizes - 1)) for part in range(design.sizes)]
    return sorted({min(range(largest + 1), key=lambda i: abs(math.log(counts[i] / count))) for count in wanted})


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The last place where it `holds`: true at `low`, false from some place on. Steps double, then halve."""
    step = 1
    while low + step <= high and holds(low + step):
        low, step = low + step, 2 * step
    high = min(high + 1, low + step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
