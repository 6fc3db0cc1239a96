"""Which layers get an update."""

import pytest

from trivium.adapt.lora import Lora
from trivium.errors import UsageError


def test_patterns_match_whole_names() -> None:
    lora = Lora(targets=("*attention.query", "encoder.layers.0.mlp.up"))
    assert lora.matches("decoder.layers.3.attention.query")
    assert lora.matches("decoder.layers.3.cross_attention.query")
    assert lora.matches("encoder.layers.0.mlp.up")
    assert not lora.matches("encoder.layers.0.mlp.up.base")
    assert not lora.matches("decoder.layers.3.attention.key")


def test_a_rank_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1, got 0"):
        Lora(rank=0)
