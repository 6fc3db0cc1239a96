"""Whether a base is the same."""

import pytest
import torch

from trivium.adapt.fingerprint import differing_parts, fingerprint
from trivium.families.registry import FAMILIES
from trivium.model import Transformer


def tiny() -> Transformer:
    architecture = FAMILIES["t5"].preset(vocab=97, dim=32, depth=2, heads=2)
    return Transformer(architecture, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("there", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("here", [torch.float32, torch.bfloat16, torch.float16])
def test_one_file_is_itself_in_every_precision_that_holds_it(there: torch.dtype, here: torch.dtype) -> None:
    # What was rounded to one 16-bit form cannot be told from the other: only the file's own digits can.
    stored = tiny().to(there if here == torch.float32 else torch.float32)
    first, second = (fingerprint(stored.to(dtype)) for dtype in (torch.float32, here))
    assert differing_parts(first, second) == []


def test_every_part_and_every_weight_counts() -> None:
    before = fingerprint(tiny())
    for part, name in (
        ("tokens", "tokens.weight"),
        ("encoder", "encoder.layers.1.mlp.up.weight"),
        ("decoder", "decoder.layers.0.cross_attention.key.weight"),
        ("encoder", "encoder.final_norm.weight"),
    ):
        model = tiny()
        with torch.no_grad():
            model.get_parameter(name).mul_(1.02)
        assert differing_parts(before, fingerprint(model)) == [part]


def test_a_part_that_one_of_them_lacks_is_not_compared() -> None:
    model = tiny()
    before = fingerprint(model)
    model.decoder = None
    assert differing_parts(before, fingerprint(model)) == []
    assert differing_parts(fingerprint(model), before) == []
    assert differing_parts({}, before) == []
