"""A step, described: what is counted of it."""

import pytest

from trivium.errors import UsageError
from trivium.families.registry import FAMILIES
from trivium.plan.workload import Workload


def test_tokens_and_flops_are_those_of_the_architecture() -> None:
    gpt = FAMILIES["gpt2"].preset(vocab=100, dim=32, depth=2, heads=2, positions=16)
    step = Workload(gpt, rows=3, inputs=16, accumulation=2)
    assert (step.written, step.head_positions, step.tokens) == (16, 48, 96)
    assert step.flops == 6 * gpt.training_flops(16)
    assert step.with_rows(1).flops == 2 * gpt.training_flops(16)
    pair = FAMILIES["t5"].preset(vocab=100, dim=32, depth=2, heads=2, positions=16)
    step = Workload(pair, rows=3, inputs=16, outputs=4, targets=9)
    assert (step.written, step.head_positions, step.tokens) == (4, 9, 60)
    assert step.flops == 3 * pair.training_flops(16, 4, 3)


def test_wrong_use() -> None:
    gpt = FAMILIES["gpt2"].preset(vocab=100, dim=32, depth=2, heads=2, positions=16)
    with pytest.raises(UsageError, match="rows of at least 1, got 0"):
        Workload(gpt, rows=0, inputs=16)
    with pytest.raises(UsageError, match="Only an encoder-decoder has outputs"):
        Workload(gpt, rows=1, inputs=16, outputs=4)
