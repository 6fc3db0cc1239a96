"""LLaMA's config: published ones, old and new places of the rotary settings, and what is not covered."""

import pytest

from trivium.architecture import Rotary
from trivium.errors import ModelError
from trivium.families import llama

#: What Meta-Llama-3-8B publishes.
LLAMA_3 = {
    "attention_bias": False, "attention_dropout": 0.0, "hidden_act": "silu", "hidden_size": 4096,
    "intermediate_size": 14336, "max_position_embeddings": 8192, "model_type": "llama", "num_attention_heads": 32,
    "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_scaling": None,
    "rope_theta": 500000.0, "tie_word_embeddings": False, "vocab_size": 128256,
}  # fmt: skip


def test_the_published_config() -> None:
    read = llama.read_config(LLAMA_3)
    assert read.parameters == 8_030_261_248
    layer = read.decoder.pattern[0]
    assert (layer.attention.heads, layer.attention.key_value_heads, layer.attention.head_dim) == (32, 8, 128)
    assert layer.position == Rotary(theta=500_000.0)
    assert layer.norms.before.eps == 1e-5
    assert not read.head.tied


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_theta": 7.0},
        {"rope_theta": 7},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 7.0}},
        {"rope_theta": 7.0, "rope_scaling": {"type": "default"}},
    ],
)
def test_rotary_settings_in_every_place(rope: dict) -> None:
    without = {key: value for key, value in LLAMA_3.items() if not key.startswith("rope")}
    assert llama.read_config(without | rope).decoder.pattern[0].position == Rotary(theta=7.0)
    assert llama.read_config(without).decoder.pattern[0].position == Rotary(theta=10_000.0)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kv_heads", [None, 1, 4])
def test_variants_go_both_ways(tied: bool, kv_heads: int | None) -> None:
    architecture = llama.preset(dim=24, heads=4, kv_heads=kv_heads, head_dim=8, hidden=50, theta=100.0, tied=tied)
    assert llama.read_config(llama.write_config(architecture)) == architecture


def test_the_hidden_size_of_the_7b() -> None:
    """Section 2.2 of Touvron et al. 2023: 2/3 · 4 d; 11,008 in the published models, a multiple of 256."""
    assert llama.preset().decoder.pattern[0].mlp.hidden == 10_944
    assert 2 / 3 * 4 * 4096 <= 10_944 < 2 / 3 * 4 * 4096 + 32


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rope_scaling": {"rope_type": "llama3", "factor": 32.0}}, "'llama3', and only 'default'"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "'linear', and only 'default'"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "'yarn'"),
        ({"attention_bias": True}, "attention_bias: True"),
        ({"mlp_bias": True}, "mlp_bias: True"),
        ({"hidden_act": "gelu"}, "hidden_act: 'gelu'"),
        ({"num_key_value_heads": 5}, "choose a divisor"),
        ({"num_attention_heads": 30}, "4096 cannot be split into 30 heads"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        llama.read_config(LLAMA_3 | change)
