"""Pooling and heads by hand."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.nn.task import build_task, pool

HIDDEN = torch.arange(12.0).reshape(2, 3, 2)  # row 0: (0 1) (2 3) (4 5); row 1: (6 7) (8 9) (10 11)
RIGHT = torch.tensor([[1, 1, 1], [1, 1, 0]])
LEFT = torch.tensor([[1, 1, 1], [0, 1, 1]])


@pytest.mark.parametrize(
    ("how", "documents", "expected"),
    [
        ("first", None, [[0, 1], [6, 7]]),
        ("first", RIGHT, [[0, 1], [6, 7]]),
        ("first", LEFT, [[0, 1], [8, 9]]),
        ("last", None, [[4, 5], [10, 11]]),
        ("last", RIGHT, [[4, 5], [8, 9]]),
        ("last", LEFT, [[4, 5], [10, 11]]),
        ("mean", None, [[2, 3], [8, 9]]),
        ("mean", RIGHT, [[2, 3], [7, 8]]),
        ("mean", LEFT, [[2, 3], [9, 10]]),
    ],
)
def test_pooling_sees_real_tokens_only(how: arch.Pooling, documents: torch.Tensor | None, expected: list) -> None:
    assert torch.equal(pool(HIDDEN, documents, how), torch.tensor(expected, dtype=torch.float32))


def test_a_head_at_the_last_end_token() -> None:
    task = arch.SequenceLabels(("a", "b"), pool=arch.EndToken(9), bias=False)
    module = build_task(task, 2)
    torch.nn.init.eye_(module.projection.weight)
    ids = torch.tensor([[9, 5, 5], [9, 9, 5]])
    assert torch.equal(module(HIDDEN, None, ids), torch.tensor([[0.0, 1.0], [8.0, 9.0]]))
    with pytest.raises(ModelError, match="close each with id 9"):
        module(HIDDEN, None, torch.tensor([[9, 5, 5], [5, 5, 5]]))


@pytest.mark.parametrize(
    "task",
    [
        arch.Pooler(),
        arch.SequenceLabels(("a", "b", "c")),
        arch.SequenceLabels(("a", "b", "c"), transform=True, bias=False),
        arch.TokenLabels(("a", "b", "c")),
        arch.TokenLabels(("a", "b", "c"), bias=False),
        arch.Spans(),
    ],
)
def test_heads_are_counted_as_they_are_built(task: arch.Task) -> None:
    module = build_task(task, 24)
    assert sum(parameter.numel() for parameter in module.parameters()) == task.parameters(24)
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, 7, 24), None, torch.zeros(1, 7, dtype=torch.long))
    assert counter.get_total_flops() == task.flops(24, 7)
