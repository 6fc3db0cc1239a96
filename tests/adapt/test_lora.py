"""Which layers get an update."""

from typing import Any

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


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"alpha": 0.0}, "must be above 0, got 0.0"),
        ({"alpha": float("inf")}, "must be above 0, got inf"),
        ({"dropout": 1.0}, "from 0 to below 1, got 1.0"),
        ({"targets": ()}, "one pattern or more"),
        ({"targets": ("*.query+k*",)}, "is no target"),
        ({"targets": ("",)}, "is no target"),
    ],
)
def test_what_no_update_can_have_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Lora(**options)


def test_layers_joined_by_plus_share_their_a() -> None:
    lora = Lora(targets=("*.attention.query+value", "*.key"))
    query, value = "decoder.layers.0.attention.query", "decoder.layers.0.attention.value"
    assert lora.sharing(query) == lora.sharing(value) == (query, value)
    assert lora.sharing("decoder.layers.0.attention.key") == ("decoder.layers.0.attention.key",)
    assert lora.sharing("decoder.layers.0.mlp.up") == ()


def test_the_weight_of_an_update() -> None:
    assert Lora(16, 8.0).scale == 0.5
    assert Lora(16, 8.0, rank_stabilized=True).scale == 2.0
