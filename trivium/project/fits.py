"""Whether a step fits the memory that is free, by formula, before anything is allocated; and what would fit."""

__all__ = ["many_that_fit", "require_memory", "step_memory", "ways_out"]

import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from trivium.architecture import Architecture
from trivium.errors import BudgetError
from trivium.plan.memory import TrainingMemory, training_memory
from trivium.plan.workload import Workload
from trivium.train.bill import quantity
from trivium.train.step_memory import StepMemory


def step_memory(memory: TrainingMemory) -> StepMemory:
    """A step's tensors at their peak, in the parts that a run counts."""
    return StepMemory(memory.weights, memory.gradients_at_peak, memory.optimizer, memory.activation_bytes)


def require_memory(
    workload: Workload, free_bytes: int, ladder: Sequence[Architecture] = (), warn: Callable[[str], None] | None = None
) -> None:
    """Refuse a step that does not fit with a `BudgetError` that says what would; or `warn` of it, where that is given.

    `ladder` holds the sizes that may be taken instead, from small to large.
    """
    needed = step_memory(training_memory(workload))
    if needed.total <= free_bytes:
        return
    architecture = workload.architecture
    parts = ", ".join(f"{name} {quantity(size, 'B')}" for name, size in needed.to_dict().items() if name != "total")
    says = (
        f"A training step of this {architecture.family} of {architecture.parameters:,} parameters takes "
        f"{quantity(needed.total, 'B')} of tensors at its peak ({parts}), and {quantity(free_bytes, 'B')} are free."
    )
    if warn:
        warn(f"{says} It is tried all the same, as asked.")
        return
    out = list(ways_out(workload, free_bytes, ladder))
    fits = f"It fits with {'; or with '.join(out)}." if out else "No smaller step and no smaller model of it fits."
    raise BudgetError(f"{says} {fits} With --force it is tried all the same.")


def many_that_fit(steps: Sequence[Workload], free_bytes: int) -> int:
    """How many of these steps fit, which are ordered from small to large."""
    return bisect.bisect_left(steps, True, key=lambda step: not _fits(step, free_bytes))


def ways_out(workload: Workload, free_bytes: int, ladder: Sequence[Architecture] = ()) -> Iterator[str]:
    """The changes that make a step fit, each alone, in the words of a project file, with what it then takes."""
    plain = replace(workload, activation_checkpointing=False)
    recomputed = replace(workload, activation_checkpointing=True)

    def said(change: str, step: Workload) -> str:
        return f"{change} ({quantity(training_memory(step).total, 'B')})"

    if cut := _cut(plain, free_bytes):
        yield said(f"train.accumulation {cut.accumulation}", cut)
    if not workload.activation_checkpointing and _fits(recomputed, free_bytes):
        yield said("train.activation_checkpointing true", recomputed)
    elif not cut and (both := _cut(recomputed, free_bytes)):
        yield said(f"train.activation_checkpointing true and train.accumulation {both.accumulation}", both)
    if fewer := _fewer_rows(workload, free_bytes):
        yield said(f"train.batch_tokens {fewer.tokens}", fewer)
    if small := _smaller(workload, free_bytes, ladder):
        yield said(f"model.dim {small.architecture.dim}", small)


def _fits(workload: Workload, free_bytes: int) -> bool:
    return training_memory(workload).total <= free_bytes


def _cut(workload: Workload, free_bytes: int) -> Workload | None:
    """The same step in twice, four times, … as many micro-batches: the fewest that fit."""
    step = workload
    while step.rows > 1:
        step = replace(step.with_rows(-(-step.rows // 2)), accumulation=2 * step.accumulation)
        if _fits(step, free_bytes):
            return step
    return None


def _fewer_rows(workload: Workload, free_bytes: int) -> Workload | None:
    """The largest step of fewer rows in as many micro-batches."""
    steps = [workload.with_rows(rows) for rows in range(1, workload.rows)]
    many = many_that_fit(steps, free_bytes)
    return steps[many - 1] if many else None


def _smaller(workload: Workload, free_bytes: int, ladder: Sequence[Architecture]) -> Workload | None:
    """The same step of the largest narrower model that fits."""
    steps = [replace(workload, architecture=rung) for rung in ladder if rung.dim < workload.architecture.dim]
    many = many_that_fit(steps, free_bytes)
    return steps[many - 1] if many else None
