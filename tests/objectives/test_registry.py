import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objectives.vocabularies import VOCABULARY, objectives
from trivium.errors import UsageError
from trivium.objectives.batch import PADDING
from trivium.objectives.denoising import Denoising
from trivium.objectives.prefix import Prefix
from trivium.objectives.registry import KINDS, OBJECTIVES, check_kind, objective
from trivium.objectives.row import Contrast, Piece
from trivium.objectives.ul2 import UL2


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"causal, masked, .*, ul2\. Did you mean 'masked'"):
        objective("mask", VOCABULARY, 32)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_fills_a_row(name: str) -> None:
    made = objective(name, VOCABULARY, 32)
    pieces = [Piece(np.arange(10, 20))]
    if isinstance(made, Contrast) and made.stranger:
        pieces.append(Piece(np.arange(30, 40)))
    row = made.row(pieces, np.random.default_rng(0))
    assert row.input_ids.shape == (made.capacity[0],)
    assert (row.input_ids[row.documents == PADDING] == made.pad).all()


@given(st.integers(1, 80), st.booleans(), st.booleans(), st.sampled_from(range(len(objectives(32)))))
def test_lengths_grow_with_the_piece(tokens: int, first: bool, last: bool, index: int) -> None:
    made = objectives(32)[index]
    shorter, longer = made.lengths(tokens, first, last), made.lengths(tokens + 1, first, last)
    assert all(a <= b for a, b in zip(shorter, longer, strict=True))
    if not isinstance(made, Prefix | Denoising | UL2):  # these draw how long a row is, and say how long at most
        assert sum(shorter) < sum(longer)


def test_an_objective_trains_its_kind_of_model_alone() -> None:
    assert list(KINDS) == list(OBJECTIVES)
    check_kind("denoising", "encoder-decoder", "bart")
    with pytest.raises(UsageError, match="'denoising' trains an encoder-decoder, and gpt2 is of the kind 'decoder'"):
        check_kind("denoising", "decoder", "gpt2")
    with pytest.raises(UsageError, match=r"no objective 'denoise'.*Did you mean 'denoising'"):
        check_kind("denoise", "encoder-decoder", "bart")


def test_options_that_an_objective_cannot_use_are_named() -> None:
    with pytest.raises(UsageError, match=r"'prefix' cannot be made with the options share: 0\.5"):
        objective("prefix", VOCABULARY, 32, share=0.5)
    with pytest.raises(UsageError, match="'span' cannot be made with the options density: 'half'"):
        objective("span", VOCABULARY, 32, density="half")
