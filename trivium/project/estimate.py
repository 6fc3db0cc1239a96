"""The plan: how large each model can be within the minutes given, and what it is expected to take.

The seconds of each model are an equal part of what is left of the budget. Its size is the largest buildable one whose
compute-optimal training (D = 20 N unless told) fits, by steps that are really taken here, timed and weighed.
"""

__all__ = ["Estimate", "estimate", "settings_of"]

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trivium.architecture import Architecture
from trivium.data.loader import Loader
from trivium.errors import BudgetError
from trivium.objectives.batch import Batch
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN, largest_within
from trivium.plan.calibration import StepTime, time_step
from trivium.plan.machine import Machine
from trivium.plan.memory import training_memory
from trivium.plan.quote import Quote
from trivium.plan.shapes import shape, shapes
from trivium.project.prepare import Material
from trivium.project.schema import Project
from trivium.train.settings import TrainSettings, parse_settings

#: Tokens of a step unless the file says: enough for small models' critical batch, and steps stay many.
_BATCH_TOKENS = 8192
#: Part of a model's seconds that its steps may take; validation, checkpoints and start take the rest.
_FOR_STEPS = 0.93
#: The first guess of what part of the matrix rate a training step reaches; timing corrects it.
_FIRST_UTILISATION = 0.35
_VALIDATIONS = 8
#: Part of a model's seconds for which the chosen shape is timed, 5 seconds at most.
_FOR_THE_QUOTE = 0.04


@dataclass(frozen=True)
class Estimate:
    """One model of the plan: its quote, and the settings and cost that follow from it."""

    quote: Quote
    settings: TrainSettings
    flops_per_token: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the plan's file."""
        settings = self.settings.model_dump(mode="json")
        return {"quote": self.quote.to_dict(), "settings": settings, "flops_per_token": self.flops_per_token}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Estimate":
        """The estimate that `to_dict` gave."""
        return cls(Quote.from_dict(values["quote"]), parse_settings(values["settings"]), values["flops_per_token"])


def estimate(project: Project, material: Material, machine: Machine, device: torch.device, seconds: float) -> Estimate:
    """The plan of one model that may train for `seconds`.

    Raises `BudgetError` where the time, the memory or the data is too little.
    """
    timing = settings_of(project, material, steps=1_000_000, parameters=1)
    loader = material.loader(project.scope.seed)

    @functools.cache
    def batches(step: int) -> tuple[Batch, ...]:
        return tuple(loader.micro_batches(step, timing.rows(1), timing.rows(1) // timing.accumulation))

    @functools.cache
    def timed(architecture: Architecture) -> StepTime:
        _check_memory(architecture, batches(0)[0], timing, machine)
        return time_step(architecture, batches, timing, machine.precision, device, seconds=0.7)

    ratio = project.model.tokens_per_parameter

    def seconds_of(architecture: Architecture) -> float:
        return ratio * architecture.parameters / timed(architecture).tokens_per_second

    vocab, length = material.tokenizer.vocabulary, material.length
    if project.model.dim is not None:
        chosen = shape(material.family, project.model.dim, vocab, length)
    else:
        ladder = list(shapes(material.family, vocab, length))
        guess = machine.flops_per_second * _FIRST_UTILISATION
        chosen, _ = largest_within(ladder, seconds * _FOR_STEPS, seconds_of, guess, ratio)
    _check_memory(chosen, batches(0)[0], timing, machine)
    # Once more and for longer: a search needs a rough time, a quote a good one, and memory grows over the first steps.
    settings = settings_of(project, material, steps=1_000_000, parameters=chosen.parameters)
    weighed = time_step(chosen, batches, settings, machine.precision, device, min(5.0, _FOR_THE_QUOTE * seconds))
    return _estimate(project, material, chosen, weighed, batches(0), loader)


def settings_of(project: Project, material: Material, steps: int, parameters: int) -> TrainSettings:
    """The settings of one model's training: the file's, and what the plan decides."""
    given = {"batch_tokens": _BATCH_TOKENS, "learning_rate": _learning_rate(parameters), **project.train}
    tokens = given.pop("batch_tokens")
    row_tokens = sum(material.objective.capacity)
    accumulation = given.get("accumulation", 1)
    rows = max(1, round(tokens / row_tokens / accumulation)) * accumulation
    validate_every = {"validate_every": max(1, math.ceil(steps / _VALIDATIONS))}
    return parse_settings({**validate_every, **given, "steps": steps, "batch_rows": rows, "seed": project.scope.seed})


def _estimate(
    project: Project,
    material: Material,
    architecture: Architecture,
    timed: StepTime,
    batches: Sequence[Batch],
    loader: Loader,
) -> Estimate:
    steps = max(2, math.ceil(project.model.tokens_per_parameter * architecture.parameters / timed.tokens))
    settings = settings_of(project, material, steps, architecture.parameters)
    rows = settings.rows(1)
    loader.plan(steps, rows)  # sources that would run out are an error now, not in the middle of the run
    inputs, *outputs = material.objective.capacity
    targets = round(sum(batch.target_tokens for batch in batches) / rows)
    step_flops = rows * architecture.training_flops(inputs, outputs[0] if outputs else None, targets)
    tokens = round(timed.tokens * steps)
    quote = Quote(
        name=material.family.name,
        family=architecture.family,
        kind=architecture.kind,
        dim=architecture.dim,
        depth=architecture.output_stack.depth,
        parameters=architecture.parameters,
        tokens=tokens,
        steps=steps,
        rows=rows,
        flops=float(step_flops * steps),
        rule_flops=FLOPS_PER_PARAMETER_AND_TOKEN[architecture.kind] * architecture.parameters * tokens,
        seconds=timed.seconds * steps,
        memory_bytes=timed.memory_bytes,
    )
    return Estimate(quote, settings, step_flops / timed.tokens)


def _check_memory(architecture: Architecture, batch: Batch, settings: TrainSettings, machine: Machine) -> None:
    # Simulated, so that what does not fit is refused before anything is allocated.
    memory = training_memory(architecture, batch, states_per_parameter=1 if settings.optimizer == "muon" else 2)
    if memory.total > machine.memory_bytes:
        raise BudgetError(
            f"Training a {architecture.family} of {architecture.parameters:,} parameters takes at least "
            f"{memory.total / 1e9:.1f} GB, and {machine.memory_bytes / 1e9:.1f} GB are free. Set train.accumulation "
            f"above {settings.accumulation}, a smaller train.batch_tokens, or a smaller model.dim."
        )


def _learning_rate(parameters: int) -> float:
    """0.003239 − 0.0001395 · ln N (Kaplan et al. 2020, equation D.1), never below a tenth of its value at 1e6."""
    return max(1.3e-4, 0.003239 - 0.0001395 * math.log(max(parameters, 1)))
