"""Positions: restarts counted, and each description built as its module."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trivium import architecture as arch
from trivium.nn.bias import Alibi, RelativeBuckets
from trivium.nn.position import Position, build_position, restart_positions
from trivium.nn.rotary import Rotary
from trivium.nn.sinusoid import RelativeSinusoids


def test_positions_restart_as_in_the_docstring() -> None:
    assert restart_positions(torch.tensor([[1, 1, 1, 2, 2, 0, 0]])).tolist() == [[0, 1, 2, 0, 1, 0, 1]]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_positions_count_every_run_from_nought(documents: list[int]) -> None:
    expected = [index for _, run in itertools.groupby(documents) for index, _ in enumerate(run)]
    assert restart_positions(torch.tensor([documents, documents])).tolist() == [expected] * 2


@given(padding=st.integers(0, 5), length=st.integers(1, 8))
def test_padding_on_the_left_moves_no_position(padding: int, length: int) -> None:
    row = torch.tensor([[0] * padding + [1] * length])
    assert restart_positions(row)[0, padding:].tolist() == list(range(length))


@pytest.mark.parametrize(
    ("position", "module"),
    [
        (arch.Rotary(theta=50.0), Rotary),
        (arch.Alibi(), Alibi),
        (arch.RelativeBuckets(8, 20), RelativeBuckets),
        (arch.RelativeSinusoids(), RelativeSinusoids),
    ],
)
def test_a_position_is_built_from_its_description(position: arch.Position, module: type[Position]) -> None:
    attention = arch.Attention(heads=3, head_dim=6)
    built = build_position(position, attention, dim=10, causal=True)
    assert type(built) is module
    held = sum(parameter.numel() for parameter in built.parameters())
    assert held == position.parameters(heads=3)
