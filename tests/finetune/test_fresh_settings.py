"""A new model's settings: what cannot be built is said while the file is read."""

from typing import Any

import pytest

from trivium.families.registry import FAMILIES
from trivium.finetune.fresh_settings import FreshSettings


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_start_from_nothing(family: str) -> None:
    settings = FreshSettings(family=family, dim=64, heads=2, depth=1)
    shape = settings.architecture(500)
    assert (shape.family, shape.vocab, shape.dim) == (family, 500, 64)


def test_options_are_the_familys_own() -> None:
    built = FreshSettings(family="bart", options={"scaled": True, "decoder_depth": 1}).architecture(1000)
    assert built.decoder is not None
    assert (built.decoder.depth, built.decoder.embedding.scale) == (1, 192**0.5)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"family": "brat"}, r"no family 'brat'.* Did you mean 'bert'"),
        ({"dim": 100, "heads": 3}, "100"),
        ({"options": {"scalled": True}}, r"a fresh bart got an unexpected keyword argument 'scalled'"),
        ({"family": "llama", "dropout": 0.1}, r"a fresh llama got an unexpected keyword argument 'dropout'"),
        ({"vocabulary": 10}, "greater than or equal to 300"),
        ({"width": 10}, "Extra inputs"),
    ],
)
def test_what_cannot_be_built_is_said_before(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FreshSettings.model_validate({"family": "bart", **wrong})
