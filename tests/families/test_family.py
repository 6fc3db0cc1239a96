"""What the pages share: how a config is read, and what is said of one that cannot be."""

import pytest

from trivium.errors import ModelError
from trivium.families.family import config_value, require_values, size_of_heads


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "bert"}, "this bert has no 'layers'"),
        ({}, "this model has no 'layers'"),
        ({"layers": None}, "has layers: None"),
        ({"layers": "12"}, "has layers: '12'"),
        ({"layers": 12.0}, "has layers: 12.0"),
        ({"layers": True}, "has layers: True"),
        ({"layers": 0}, "has layers: 0"),
    ],
)
def test_a_size_is_a_number_above_nought(config: dict, said: str) -> None:
    assert config_value({"layers": 12}, "layers") == 12
    with pytest.raises(ModelError, match=f"{said}.* needs a number above 0"):
        config_value(config, "layers")


def test_a_field_with_one_covered_value() -> None:
    require_values({"other": 1}, {"bias": False})
    require_values({"bias": False}, {"bias": False})
    with pytest.raises(ModelError, match="this llama has bias: True, and only False is supported"):
        require_values({"model_type": "llama", "bias": True}, {"bias": False})


def test_heads_divide_the_width() -> None:
    assert size_of_heads(768, 12) == 64
    for heads in (5, 0, -1):
        with pytest.raises(ModelError, match="width of 768 cannot be split"):
            size_of_heads(768, heads)
