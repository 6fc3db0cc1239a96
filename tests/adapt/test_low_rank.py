"""The layers of low-rank adaptation, beside the equation."""

import pytest
import torch
from torch import nn

from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import LoraLinear, add_lora
from trivium.errors import UsageError
from trivium.families.registry import FAMILIES
from trivium.model import Transformer


def test_the_equation() -> None:
    linear = nn.Linear(6, 4)
    adapted = LoraLinear(linear, Lora(rank=2, alpha=3.0))
    x = torch.randn(5, 6)
    assert torch.equal(adapted(x), linear(x))  # B starts at zero
    nn.init.normal_(adapted.up.weight)
    merged = linear.weight + 3.0 / 2 * adapted.up.weight @ adapted.down.weight
    torch.testing.assert_close(adapted(x), x @ merged.T + linear.bias)


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_only_the_updates_are_trained(family: str) -> None:
    model = Transformer(FAMILIES[family].preset(vocab=50, dim=32, depth=2, heads=2, positions=16))
    before = sum(p.numel() for p in model.parameters())
    adapted = add_lora(model, Lora(rank=4))
    layers = adapted.layers
    attentions = 2 * (3 if family == "t5" else 1)
    assert layers == 2 * attentions
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert all(".down." in name or ".up." in name for name in trained)
    assert sum(p.numel() for p in trained.values()) == layers * 4 * (32 + 32)
    assert sum(p.numel() for p in model.parameters()) == before + layers * 4 * (32 + 32)


def test_a_pattern_that_names_nothing_is_an_error() -> None:
    model = Transformer(FAMILIES["gpt2"].preset(vocab=50, dim=32, depth=2, heads=2, positions=16))
    with pytest.raises(UsageError, match=r"q_proj.*attention\.query"):
        add_lora(model, Lora(targets=("*q_proj",)))
