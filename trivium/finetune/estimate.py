"""What a fine-tuning is expected to take: its memory by formula, its time by a few of its own steps, taken before."""

__all__ = ["estimate"]

import math
import statistics
import time
from collections.abc import Callable, Iterable
from itertools import islice

from torch import nn

from trivium.adapt.lora import Lora
from trivium.architecture import Architecture
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN
from trivium.plan.memory import TrainingMemory, training_memory
from trivium.plan.quote import Quote
from trivium.plan.workload import Workload
from trivium.train.loop import take_step
from trivium.train.loss import LossFn
from trivium.train.optimizer import build_optimizer
from trivium.train.precision import resolve_precision
from trivium.train.settings import TrainSettings
from trivium.train.step_memory import StepMemory, tracked_steps
from trivium.train.validation import Validation

#: Steps that are timed, after one that is not, and the seconds that they may take.
_STEPS, _SECONDS = 8, 8.0


def estimate(
    model: Transformer,
    batches: Callable[[int], Iterable[Batch]],
    loss_fn: LossFn,
    settings: TrainSettings,
    *,
    title: str,
    tokens: int,
    lora: Lora | None = None,
    validate: Callable[[nn.Module], Validation] | None = None,
) -> Quote:
    """The quote of a run over `batches`, by a model that is not needed afterwards: it takes some of the run's steps.

    `tokens` are those of the whole run. Memory is that of the largest of the steps that the run will count.
    """
    architecture = model.architecture
    device = next(model.parameters()).device
    precision = resolve_precision(settings.precision, device)
    optimizer = build_optimizer(model, settings, precision.dtype)
    model.train()
    taken: list[float] = []
    read: list[int] = []
    begin = time.perf_counter()
    for step in range(min(settings.steps, _STEPS + 1)):
        start = time.perf_counter()
        read.append(take_step(model, batches(step), loss_fn, optimizer, settings, step, precision).tokens)
        taken.append(time.perf_counter() - start)
        if time.perf_counter() - begin > _SECONDS:
            break
    later = taken[1:] or taken  # the first makes the optimizer's states, and starts what libraries start
    start = time.perf_counter()
    if validate is not None:
        validate(model)
    validation_seconds = time.perf_counter() - start
    token_seconds = sum(later) / sum(read[1:] or read)
    counted = (batch for step in sorted(tracked_steps(0, settings.steps)) for batch in batches(step))
    workloads = [_workload(architecture, batch, settings, lora) for batch in islice(counted, 64)]
    memory = max((training_memory(workload) for workload in set(workloads)), key=lambda found: found.total)
    validations = math.ceil(settings.steps / (settings.validate_every or settings.steps))
    flops = sum(load.flops for load in workloads) / sum(load.tokens for load in workloads)  # a token
    return Quote(
        name=title,
        family=architecture.family,
        kind=architecture.kind,
        dim=architecture.dim,
        depth=architecture.output_stack.depth,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        tokens=tokens,
        steps=settings.steps,
        rows=settings.rows(1),
        flops=flops * tokens,
        rule_flops=FLOPS_PER_PARAMETER_AND_TOKEN[architecture.kind] * architecture.parameters * tokens,
        seconds=token_seconds * tokens,
        step_seconds=statistics.median(later),
        between_seconds=validations * validation_seconds,
        memory=_step_memory(memory, model),
        rest=memory.activations,
        peak_phase=memory.peak_phase,
    )


def _step_memory(memory: TrainingMemory, model: Transformer) -> StepMemory:
    """The formula's parts, and the task head's, which it leaves out: its gradient comes first, so it is at the peak."""
    head = 0 if model.task is None else sum(p.numel() for p in model.task.parameters() if p.requires_grad)
    return StepMemory(
        memory.weights, memory.gradients_at_peak + 4 * head, memory.optimizer + 8 * head, memory.activation_bytes
    )


def _workload(architecture: Architecture, batch: Batch, settings: TrainSettings, lora: Lora | None) -> Workload:
    rows, inputs = batch.input_ids.shape
    outputs = batch.decoder_input_ids
    return Workload(
        architecture,
        rows=rows,
        inputs=inputs,
        outputs=None if outputs is None else outputs.shape[1],
        targets=batch.target_tokens,
        masked=batch.documents is not None,
        precision="bfloat16" if settings.precision == "bfloat16" else "float32",
        lora=lora,
    )
