"""A layer is its formula, `after(x + f(before(x)))`, wherever the norms stand."""

import pytest
import torch
from torch import nn

from trivium import architecture as arch
from trivium.nn.block import Block
from trivium.nn.mask import Mask

ATTENTION = arch.Attention(heads=2, head_dim=4)
MLP = arch.MLP(hidden=12, activation="relu")
NORM = arch.RMSNorm()
SLOTS = {
    "pre": arch.Norms(before=NORM),
    "post": arch.Norms(after=NORM),
    "both": arch.Norms(before=NORM, after=arch.LayerNorm()),
    "neither": arch.Norms(),
}
CAUSAL = Mask(causal=True)


def built(layer: arch.Layer) -> Block:
    block = Block(layer, 8).eval()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(parameter.numel()))
    return block


@pytest.mark.parametrize("slots", SLOTS)
def test_a_layer_is_its_formula(slots: str) -> None:
    block = built(arch.Layer(ATTENTION, MLP, SLOTS[slots]))
    x = torch.randn(2, 5, 8)
    match slots:
        case "pre":  # Radford et al. 2019, section 2.3
            h = x + block.attention(block.before_attention(x), CAUSAL)
            expected = h + block.mlp(block.before_mlp(h))
        case "post":  # Vaswani et al. 2017, section 3.1
            h = block.after_attention(x + block.attention(x, CAUSAL))
            expected = block.after_mlp(h + block.mlp(h))
        case "both":
            h = block.after_attention(x + block.attention(block.before_attention(x), CAUSAL))
            expected = block.after_mlp(h + block.mlp(block.before_mlp(h)))
        case "neither":
            h = x + block.attention(x, CAUSAL)
            expected = h + block.mlp(h)
    torch.testing.assert_close(block(x, CAUSAL), expected)
    norms = {name for name, module in block.named_modules() if isinstance(module, nn.LayerNorm | nn.RMSNorm)}
    sides = {"pre": ["before"], "post": ["after"], "both": ["before", "after"], "neither": []}[slots]
    assert norms == {f"{side}_{sublayer}" for side in sides for sublayer in ("attention", "mlp")}


def test_cross_attention_reads_the_memory_between_the_two() -> None:
    block = built(arch.Layer(ATTENTION, MLP, SLOTS["pre"], cross_attention=ATTENTION))
    x, memory = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    h = x + block.attention(block.before_attention(x), CAUSAL)
    h = h + block.cross_attention.over(memory, block.before_cross_attention(h), Mask())
    expected = h + block.mlp(block.before_mlp(h))
    torch.testing.assert_close(block(x, CAUSAL, memory=memory, memory_mask=Mask()), expected)


def test_a_layer_whose_branches_are_dropped_is_its_norms() -> None:
    layer = arch.Layer(ATTENTION, MLP, SLOTS["post"], dropout=arch.Dropout(residual=1.0))
    block, x = built(layer).train(), torch.randn(2, 5, 8)
    torch.testing.assert_close(block(x, CAUSAL), block.after_mlp(block.after_attention(x)))


def test_each_share_of_dropout_goes_to_its_place() -> None:
    block = Block(arch.Layer(ATTENTION, MLP, SLOTS["pre"], dropout=arch.Dropout(0.1, 0.2, 0.3)), 8)
    assert (block.dropout.p, block.attention.dropout, block.mlp.dropout.p) == (0.1, 0.2, 0.3)
