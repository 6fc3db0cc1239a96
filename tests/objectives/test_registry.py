import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.vocabularies import VOCABULARY, objectives
from trivium.errors import UsageError
from trivium.objectives.batch import PADDING
from trivium.objectives.registry import OBJECTIVES, objective
from trivium.objectives.row import Piece


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"causal, masked, span\. Did you mean 'masked'"):
        objective("mask", VOCABULARY, 32)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_fills_a_row(name: str) -> None:
    made = objective(name, VOCABULARY, 32)
    row = made.row([Piece(np.arange(10, 20))], np.random.default_rng(0))
    assert row.input_ids.shape == (made.capacity[0],)
    assert (row.input_ids[row.documents == PADDING] == made.pad).all()


@given(st.integers(1, 80), st.booleans(), st.booleans(), st.sampled_from(range(5)))
def test_lengths_grow_with_the_piece(tokens: int, first: bool, last: bool, index: int) -> None:
    made = objectives(32)[index]
    shorter, longer = made.lengths(tokens, first, last), made.lengths(tokens + 1, first, last)
    assert all(a <= b for a, b in zip(shorter, longer, strict=True))
    assert sum(shorter) < sum(longer)
