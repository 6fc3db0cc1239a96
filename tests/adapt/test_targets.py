"""Targets by published names."""

import pytest
from torch import nn

from trivium.adapt.lora import Lora
from trivium.adapt.targets import ALL_LINEAR, in_our_names, published_layers
from trivium.architecture import Architecture
from trivium.families.registry import FAMILIES
from trivium.model import Transformer


def architecture(family: str) -> Architecture:
    return FAMILIES[family].preset(vocab=50, dim=32, depth=2, heads=2, positions=16)


def chosen(family: str, *targets: str) -> set[str]:
    made = architecture(family)
    lora = in_our_names(Lora(targets=targets), made)
    named = Transformer(made).named_modules()
    return {name for name, module in named if isinstance(module, nn.Linear) and lora.matches(name)}


@pytest.mark.parametrize(
    ("family", "published", "ours"),
    [
        ("llama", "q_proj", "*attention.query"),
        ("llama", "mlp.up_proj", "*mlp.up"),
        ("gpt2", "c_attn", "*attention.query+key+value"),
        ("gpt2", "attn.c_proj", "*attention.output"),
        ("bloom", "query_key_value", "*attention.query+key+value"),
        ("bert", "attention.self.value", "*attention.value"),
        ("bert", "query", "*.query"),
        ("t5", "EncDecAttention.k", "*cross_attention.key"),
        ("t5", "encoder.*.q", "encoder.*.query"),
        ("bart", "encoder_attn.out_proj", "*cross_attention.output"),
        ("gpt2", "h.1.mlp.c_fc", "decoder.layers.1.mlp.up"),
        ("gpt2", "transformer.h.0.mlp.c_fc", "decoder.layers.0.mlp.up"),
    ],
)
def test_a_published_name_or_its_end_is_the_layers_that_it_holds(family: str, published: str, ours: str) -> None:
    assert chosen(family, published) == chosen(family, ours) != set()


def test_an_end_begins_behind_a_dot() -> None:
    assert chosen("gpt2", "proj") == set()
    assert chosen("gpt2", "c_proj") == chosen("gpt2", "*attention.output", "*mlp.down")


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5", "bloom", "llama", "bart"])
def test_every_linear_layer_of_the_blocks(family: str) -> None:
    assert chosen(family, ALL_LINEAR) == chosen(family, "*.layers.*")


def test_fused_layers_share_their_a_and_ours_do_not() -> None:
    made = architecture("gpt2")
    query, key, value = (f"decoder.layers.1.attention.{part}" for part in ("query", "key", "value"))
    assert in_our_names(Lora(targets=("c_attn",)), made).sharing(key) == (query, key, value)
    assert in_our_names(Lora(targets=("*.key",)), made).sharing(key) == (key,)
    assert in_our_names(Lora(targets=(ALL_LINEAR,)), made).sharing(value) == (query, key, value)


def test_what_names_nothing_stays_and_ours_go_first() -> None:
    made = architecture("bert")
    assert in_our_names(Lora(targets=("nothing",)), made).targets == ("nothing",)
    assert in_our_names(Lora(), made) == Lora()


def test_a_head_on_the_table_of_tokens_has_its_published_name() -> None:
    for family, name in (("gpt2", "lm_head"), ("bert", "cls.predictions.decoder"), ("t5", "lm_head")):
        assert published_layers(architecture(family))[name] == ("head.projection",)
        assert chosen(family, name) == {"head.projection"}
