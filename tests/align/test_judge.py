"""A judge that was never taught says so."""

import pytest

from tests.finetune.test_conversation import _lm
from trivium.align.judge import reward_model
from trivium.errors import UsageError


def test_a_model_without_the_head_cannot_judge() -> None:
    with pytest.raises(UsageError, match="no head for a reward"):
        reward_model(_lm())((("user", "the cat"),), ["cats"])
