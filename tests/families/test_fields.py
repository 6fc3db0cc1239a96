"""Fields of a config one by one, and every field of every family with values that it cannot have."""

import pytest
import torch
from transformers.activations import ACT2FN

from trivium.errors import ModelError
from trivium.families.fields import (
    ACTIVATIONS,
    activation_name,
    read_activation,
    read_flag,
    read_number,
    read_size,
)
from trivium.families.registry import FAMILIES, architecture_of_config, family_named
from trivium.model import Transformer
from trivium.nn.mlp import activate

BAD = ["x", "", -1, 0, 1.5, float("nan"), float("inf"), True, [], ["x"], {}, {"x": 1}, None]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_the_same_name(name: str) -> None:
    x = torch.linspace(-4, 4, 101, dtype=torch.float64)
    torch.testing.assert_close(activate(x, ACTIVATIONS[name]), ACT2FN[name](x), atol=1e-7, rtol=0)
    assert read_activation({"act": name}, "act", "relu") == ACTIVATIONS[name]
    assert ACTIVATIONS[activation_name(ACTIVATIONS[name])] == ACTIVATIONS[name]


def test_what_is_absent_or_null_has_the_default() -> None:
    for config in ({}, {"key": None}):
        assert read_activation(config, "key", "gelu_new") == "gelu_tanh"
        assert read_size(config, "key") is None
        assert read_number(config, "key", 0.1) == 0.1
        assert read_flag(config, "key", True) is True


def test_what_is_there_is_read() -> None:
    assert read_size({"key": 7}, "key", 3) == 7
    assert read_number({"key": 0}, "key", 0.1, below=1) == 0.0
    assert read_flag({"key": False}, "key", True) is False


@pytest.mark.parametrize("value", [value for value in BAD if value is not None])
def test_what_cannot_be_is_named(value: object) -> None:
    config = {"model_type": "bert", "key": value}
    with pytest.raises(ModelError, match=r"this bert the activation .* is not known; there are gelu"):
        read_activation(config, "key", "relu")
    with pytest.raises(ModelError, match=r"this bert has key: .* needs a number above 0"):
        read_size(config, "key")
    if type(value) is not bool:
        with pytest.raises(ModelError, match=r"this bert has key: .* needs true or false"):
            read_flag(config, "key", True)
    if value != 0:
        with pytest.raises(ModelError, match=r"this bert has key: .* needs a number from 0 up, below 1"):
            read_number(config, "key", 0.1, below=1)


@pytest.mark.parametrize("name", FAMILIES)
def test_any_field_with_any_value_gives_a_model_or_an_error_that_says_so(name: str) -> None:
    family = family_named(name)
    config = family.write_config(family.preset(vocab=50, dim=16, depth=2, heads=2, positions=32))
    built = {architecture_of_config({"model_type": family.model_type, **config})}
    for key in config:
        for value in BAD:
            try:
                architecture = architecture_of_config({"model_type": family.model_type, **config, key: value})
            except ModelError:
                continue
            if architecture in built:
                continue
            built.add(architecture)
            ids = torch.zeros(1, 3, dtype=torch.long, device="meta")
            with torch.device("meta"):
                Transformer(architecture)(ids, None, ids)
