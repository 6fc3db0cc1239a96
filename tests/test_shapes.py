"""The checks under which every test runs: a wrong type, rank or axis does not pass, wherever it stands."""

from dataclasses import dataclass

import pytest
import torch
from jaxtyping import Float, Int, TypeCheckError
from torch import Tensor

from tests.shapes import checked
from trivium.nn.mlp import activate


@checked
def looked_up(table: Float[Tensor, "V D"], ids: Int[Tensor, "B"], times: int = 1) -> Float[Tensor, "B D"]:
    return table[ids] if times == 1 else table.repeat(1, times)[ids]


@checked
@dataclass
class Pair:
    first: Float[Tensor, "B D"]
    second: Float[Tensor, "B D"]


TABLE = torch.zeros(5, 3)


def test_what_fits_passes_and_axes_are_of_one_call() -> None:
    assert looked_up(TABLE, torch.tensor([1, 2])).shape == (2, 3)
    assert looked_up(torch.zeros(7, 4), torch.tensor([0, 1, 2])).shape == (3, 4)
    assert Pair(TABLE, TABLE).first is TABLE
    Pair(torch.zeros(2, 2), torch.zeros(2, 2))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((TABLE.long(), torch.tensor([1])), {}),
        ((TABLE[0], torch.tensor([1])), {}),
        ((TABLE, torch.tensor([1.0])), {}),
        ((TABLE, torch.tensor([1])), {"times": "1"}),
    ],
)
def test_a_wrong_argument(arguments: tuple, named: dict) -> None:
    with pytest.raises(TypeCheckError, match="looked_up"):
        looked_up(*arguments, **named)


def test_a_result_whose_axis_is_not_the_arguments() -> None:
    with pytest.raises(TypeCheckError, match="return"):
        looked_up(TABLE, torch.tensor([1]), times=2)


def test_a_dataclass_of_two_lengths() -> None:
    with pytest.raises(TypeCheckError, match="second"):
        Pair(TABLE, TABLE[:2])


def test_the_package_is_checked() -> None:
    with pytest.raises(TypeCheckError, match=r"trivium\.nn\.mlp\.activate"):
        activate(torch.zeros(2, 3, dtype=torch.long), "gelu")
    with pytest.raises(TypeCheckError, match=r"trivium\.nn\.mlp\.activate"):
        activate(torch.zeros(2, 3), 1)
