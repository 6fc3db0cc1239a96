"""The plan: how large each model can be within the minutes given, and what it is expected to take.

The seconds of each model are an equal part of what is left of the budget. Its size is the largest buildable one whose
compute-optimal training (D = 20 N unless told) fits, by steps that are really taken here and timed. Sizes are few, so
that time is left: it goes into more tokens, which make the same model better.
"""

__all__ = ["Estimate", "estimate", "settings_of", "workload_of"]

import functools
import itertools
import math
import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
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
from trivium.plan.quote import ExpectedLoss, Quote
from trivium.plan.shapes import shape, shapes
from trivium.plan.workload import Workload
from trivium.project.fits import many_that_fit, require_memory, step_memory
from trivium.project.prepare import Material
from trivium.project.schema import Project
from trivium.project.validation import validation_of
from trivium.train.checkpoint import Checkpoints
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings, parse_settings
from trivium.train.state import TrainState

#: Tokens of a step unless the file says: enough for small models' critical batch, and steps stay many.
_BATCH_TOKENS = 8192
#: Part of a model's seconds that its steps may take; validation, checkpoints and start take the rest.
_FOR_STEPS = 0.93
#: The first guess of what part of the matrix rate a training step reaches; timing corrects it.
_FIRST_UTILISATION = 0.35
_VALIDATIONS = 8
#: Steps whose batches say how many tokens and targets a step has.
_SAMPLE_STEPS = 8
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

    def workload(self, material: Material, precision: Precision) -> Workload:
        """One of its steps, described."""
        sample = _sample(material.loader(self.settings.seed), self.settings)
        architecture = shape(material.family, self.quote.dim, material.tokenizer.vocabulary, material.length)
        return workload_of(architecture, sample, self.settings, precision)

    def with_loss(self, loss: ExpectedLoss | None) -> "Estimate":
        """The same with the held-out loss that is expected."""
        return replace(self, quote=replace(self.quote, loss=loss))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Estimate":
        """The estimate that `to_dict` gave."""
        return cls(Quote.from_dict(values["quote"]), parse_settings(values["settings"]), values["flops_per_token"])


def estimate(
    project: Project,
    material: Material,
    machine: Machine,
    device: torch.device,
    seconds: float,
    warn: Callable[[str], None] | None = None,
) -> Estimate:
    """The plan of one model that may train for `seconds`.

    Raises `BudgetError` where the time, the memory or the data is too little; too little memory is only told to `warn`
    where that is given. Nothing that does not fit is built.
    """
    timing = settings_of(project, material, steps=1_000_000, parameters=1)
    loader = material.loader(project.scope.seed)
    micro_rows = timing.rows(1) // timing.accumulation

    # Made anew for every step that is timed: making it is a part of a step.
    def batches(step: int) -> Iterable[Batch]:
        return loader.micro_batches(step, timing.rows(1), micro_rows)

    sample = _sample(loader, timing)

    def step_of(architecture: Architecture) -> Workload:
        return workload_of(architecture, sample, timing, machine.precision)

    @functools.cache
    def timed(architecture: Architecture) -> StepTime:
        return time_step(architecture, batches, timing, machine.precision, device, seconds=0.7)

    ratio = project.model.tokens_per_parameter

    def seconds_of(architecture: Architecture) -> float:
        return ratio * architecture.parameters / timed(architecture).tokens_per_second

    vocab, length = material.tokenizer.vocabulary, material.length
    ladder = list(shapes(material.family, vocab, length))
    if project.model.dim is not None:
        chosen = shape(material.family, project.model.dim, vocab, length)
        require_memory(step_of(chosen), machine.memory_bytes, ladder, warn)
    else:
        require_memory(step_of(ladder[0]), machine.memory_bytes, (), warn)
        ladder = ladder[: max(1, many_that_fit([step_of(rung) for rung in ladder], machine.memory_bytes))]
        guess = machine.flops_per_second * _FIRST_UTILISATION
        chosen, _ = largest_within(ladder, seconds * _FOR_STEPS, seconds_of, guess, ratio)
    workload = step_of(chosen)
    # Once more and for longer: a search needs a rough time, a quote a good one.
    settings = settings_of(project, material, steps=1_000_000, parameters=chosen.parameters)
    with tempfile.TemporaryDirectory(dir=project.scope.out) as aside:
        checkpoints = Checkpoints(Path(aside), {})
        final = time_step(
            chosen,
            batches,
            settings,
            machine.precision,
            device,
            min(5.0, _FOR_THE_QUOTE * seconds),
            validate=validation_of(material, settings, micro_rows),
            save=lambda model, optimizer: checkpoints.save(model, optimizer, TrainState()),
        )
    step_tokens = timing.accumulation * statistics.fmean(batch.tokens for batch in sample)
    # A width that was asked for has the tokens that were asked for, and takes what it takes.
    steps_in_time = int(seconds * _FOR_STEPS / final.seconds) if project.model.dim is None else 0
    return _estimate(project, material, workload, final, step_tokens, loader, steps_in_time)


def _sample(loader: Loader, settings: TrainSettings) -> tuple[Batch, ...]:
    """The micro-batches of the first steps: what follows from them is the same each time, however fast steps are."""
    rows = settings.rows(1)
    steps = (loader.micro_batches(step, rows, rows // settings.accumulation) for step in range(_SAMPLE_STEPS))
    return tuple(itertools.chain.from_iterable(steps))


def workload_of(
    architecture: Architecture, micro_batches: Sequence[Batch], settings: TrainSettings, precision: Precision
) -> Workload:
    """A training step over such micro-batches, described: rows, lengths, targets and whether attention is masked."""
    rows, inputs = micro_batches[0].input_ids.shape
    outputs = micro_batches[0].decoder_input_ids
    masks = [(b.documents, b.decoder_documents, b.prefix) for b in micro_batches]
    return Workload(
        architecture,
        rows=rows,
        inputs=inputs,
        outputs=None if outputs is None else outputs.shape[1],
        targets=round(statistics.fmean(batch.target_tokens for batch in micro_batches)),
        masked=any(mask is not None for batch in masks for mask in batch),
        precision=precision.format,
        optimizer=settings.optimizer,
        activation_checkpointing=settings.activation_checkpointing,
        accumulation=settings.accumulation,
    )


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
    workload: Workload,
    timed: StepTime,
    step_tokens: float,
    loader: Loader,
    steps_in_time: int,
) -> Estimate:
    architecture = workload.architecture
    rows = workload.rows * workload.accumulation
    steps = max(2, math.ceil(project.model.tokens_per_parameter * architecture.parameters / step_tokens))
    steps = _spent(steps, steps_in_time, rows, loader)
    settings = settings_of(project, material, steps, architecture.parameters)
    tokens = round(step_tokens * steps)
    memory = training_memory(workload)
    validations, checkpoints = _pauses(settings, timed.seconds * steps)
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
        flops=workload.flops * steps,
        rule_flops=FLOPS_PER_PARAMETER_AND_TOKEN[architecture.kind] * architecture.parameters * tokens,
        seconds=timed.seconds * steps,
        step_seconds=timed.median_seconds,
        between_seconds=validations * timed.validation_seconds + checkpoints * timed.checkpoint_seconds,
        memory=step_memory(memory),
        rest=memory.activations,
        peak_phase=memory.peak_phase,
    )
    return Estimate(quote, settings, workload.flops / step_tokens)


def _spent(steps: int, steps_in_time: int, rows: int, loader: Loader) -> int:
    """The steps asked for, or the more that fit the time, where the data hold them.

    Raises `BudgetError` where the data do not even hold the steps asked for: now, not in the middle of the run.
    """
    loader.plan(steps, rows)
    try:
        loader.plan(max(steps, steps_in_time), rows)
    except BudgetError:
        return steps
    return max(steps, steps_in_time)


def _pauses(settings: TrainSettings, seconds: float) -> tuple[int, int]:
    """Validations and checkpoints of a run whose steps take `seconds`, if every validation is the best so far."""
    validations = math.ceil(settings.steps / (settings.validate_every or settings.steps))
    checkpoints = validations if settings.keep_best else 1
    if settings.checkpoint_every:
        checkpoints = max(checkpoints, settings.steps // settings.checkpoint_every)
    if settings.checkpoint_every_seconds:
        checkpoints = max(checkpoints, int(seconds // settings.checkpoint_every_seconds))
    return validations, checkpoints


def _learning_rate(parameters: int) -> float:
    """0.003239 − 0.0001395 · ln N (Kaplan et al. 2020, equation D.1), never below a tenth of its value at 1e6."""
    return max(1.3e-4, 0.003239 - 0.0001395 * math.log(max(parameters, 1)))
