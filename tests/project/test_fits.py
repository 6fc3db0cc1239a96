"""What does not fit is refused with numbers, and every way out that is named does fit."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium.errors import BudgetError
from trivium.families.registry import FAMILIES
from trivium.plan.memory import training_memory
from trivium.plan.shapes import shapes
from trivium.plan.workload import Workload
from trivium.project.fits import require_memory, step_memory, ways_out

LADDER = {family: list(shapes(FAMILIES[family], 1000, 128)) for family in ("bert", "gpt2", "t5")}


def workload(family: str, dim: int = 256, rows: int = 32, **changes: object) -> Workload:
    architecture = next(rung for rung in LADDER[family] if rung.dim == dim)
    outputs = 30 if family == "t5" else None
    return Workload(architecture, rows=rows, inputs=128, outputs=outputs, **changes)


@pytest.mark.parametrize("family", LADDER)
def test_a_step_that_fits_passes_and_one_byte_less_does_not(family: str) -> None:
    step = workload(family)
    needed = training_memory(step).total
    require_memory(step, needed, LADDER[family])
    with pytest.raises(BudgetError, match=r"of tensors at its peak \(weights .* are free\. It fits with train\.accum"):
        require_memory(step, needed - 1, LADDER[family])


def test_the_message_names_the_numbers_and_each_way_out() -> None:
    step = workload("gpt2")
    with pytest.raises(BudgetError) as refused:
        require_memory(step, training_memory(step).total // 2, LADDER["gpt2"])
    text = str(refused.value)
    for words in (
        f"{step.architecture.parameters:,} parameters",
        "train.accumulation 4",
        "train.activation_checkpointing true",
        "train.batch_tokens",
        "model.dim",
        "--force",
    ):
        assert words in text


@settings(max_examples=6)
@given(
    family=st.sampled_from(sorted(LADDER)),
    dim=st.sampled_from([64, 128, 512]),
    rows=st.integers(1, 40),
    part=st.floats(0.02, 0.98),
    recomputed=st.booleans(),
)
def test_every_way_out_fits(family: str, dim: int, rows: int, part: float, recomputed: bool) -> None:
    step = workload(family, dim, rows, activation_checkpointing=recomputed)
    free = int(part * training_memory(step).total)
    for way in ways_out(step, free, LADDER[family]):
        changed = step
        for name, value in re.findall(r"(\S+) (true|\d+)(?= and| \()", way):
            match name:
                case "train.accumulation":
                    changed = workload(family, dim, -(-rows // int(value)), accumulation=int(value))
                    if "checkpointing" in way or recomputed:
                        changed = workload(
                            family, dim, changed.rows, accumulation=int(value), activation_checkpointing=True
                        )
                case "train.activation_checkpointing" if "accumulation" not in way:
                    changed = workload(family, dim, rows, activation_checkpointing=True)
                case "train.batch_tokens":
                    per_row = step.tokens // rows
                    assert int(value) % per_row == 0
                    changed = workload(family, dim, int(value) // per_row, activation_checkpointing=recomputed)
                case "model.dim":
                    assert int(value) < dim
                    changed = workload(family, int(value), rows, activation_checkpointing=recomputed)
        assert changed != step
        assert training_memory(changed).total <= free, way


def test_where_nothing_fits_it_says_so() -> None:
    with pytest.raises(BudgetError, match=r"No smaller step and no smaller model of it fits"):
        require_memory(workload("t5", 32, 1), 1000, LADDER["t5"])


def test_forced_it_only_warns() -> None:
    said: list[str] = []
    require_memory(workload("bert"), 10**6, LADDER["bert"], said.append)
    assert len(said) == 1
    assert said[0].endswith("It is tried all the same, as asked.")
    require_memory(workload("bert"), 10**12, LADDER["bert"], said.append)
    assert len(said) == 1


def test_the_parts_are_those_at_the_peak() -> None:
    memory = training_memory(workload("gpt2", accumulation=2))
    parts = step_memory(memory)
    assert parts.total == memory.total
    assert parts.gradients == memory.gradients, "with several micro-batches they stand from the first on"
