"""LLaMA's config: published ones, old and new places of the rotary settings, and what is not covered."""

import pytest

from trivium.architecture import LinearScaling, LlamaScaling, Rotary, RotaryScaling
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
    assert read.decoder.trained_length == 8192
    assert read.context is None


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


#: What Llama-3.1-8B publishes.
LLAMA_31 = {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192}


@pytest.mark.parametrize(
    ("rope", "expected"),
    [
        ({"type": "linear", "factor": 2}, LinearScaling(2.0)),
        ({"rope_type": "linear", "factor": 2.5}, LinearScaling(2.5)),
        ({"rope_type": "llama3", **LLAMA_31}, LlamaScaling(8.0, 1.0, 4.0, 8192)),
        ({"type": "llama3", **LLAMA_31}, LlamaScaling(8.0, 1.0, 4.0, 8192)),
    ],
)
def test_stretched_positions_in_every_place(rope: dict, expected: RotaryScaling) -> None:
    """The original length of 3.1 is the config's own where the settings lack it, as in `transformers`."""
    without = {key: value for key, value in LLAMA_3.items() if not key.startswith("rope")}
    for config in ({"rope_theta": 7.0, "rope_scaling": rope}, {"rope_parameters": {"rope_theta": 7.0, **rope}}):
        assert llama.read_config(without | config).decoder.pattern[0].position == Rotary(7.0, expected)
        short = {key: value for key, value in rope.items() if not key.startswith("original")}
        config = {
            "max_position_embeddings": 8192,
            **config,
            **({"rope_scaling": short} if "rope_scaling" in config else {}),
        }
        assert llama.read_config(without | config).decoder.pattern[0].position == Rotary(7.0, expected)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kv_heads", [None, 1, 4])
@pytest.mark.parametrize("scaling", [None, LinearScaling(2.0), LlamaScaling(8.0, 1.0, 4.0, 64)])
def test_variants_go_both_ways(tied: bool, kv_heads: int | None, scaling: RotaryScaling | None) -> None:
    architecture = llama.preset(
        dim=24, heads=4, kv_heads=kv_heads, head_dim=8, hidden=50, positions=99, theta=100.0, scaling=scaling,
        attention_bias=tied, mlp_bias=not tied, tied=tied,
    )  # fmt: skip
    assert llama.read_config(llama.write_config(architecture)) == architecture


def test_the_hidden_size_of_the_7b() -> None:
    """Section 2.2 of Touvron et al. 2023: 2/3 · 4 d; 11,008 in the published models, a multiple of 256."""
    assert llama.preset().decoder.pattern[0].mlp.hidden == 10_944
    assert 2 / 3 * 4 * 4096 <= 10_944 < 2 / 3 * 4 * 4096 + 32


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"rope_scaling": {"rope_type": "llama3", "factor": 32.0}},
            "'llama3', and its settings do not say how.*low_freq_factor",
        ),
        ({"rope_scaling": {"type": "linear"}}, "'linear', and its settings do not say how.*factor"),
        ({"rope_scaling": {"type": "linear", "factor": 0}}, "ValueError.0.0"),
        ({"rope_scaling": {"type": "linear", "factor": "two"}}, "could not convert"),
        ({"rope_scaling": {"rope_type": "llama3", **LLAMA_31, "low_freq_factor": 4.0}}, "0 < low < high"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "'yarn'; known are default, linear and llama3"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "'dynamic'; known are"),
        ({"rope_parameters": {"rope_type": "longrope"}}, "'longrope'; known are"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor: 0.5"),
        ({"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor: 0.5"),
        ({"hidden_act": "gelu"}, "hidden_act: 'gelu'"),
        ({"num_key_value_heads": 5}, "choose a divisor"),
        ({"num_attention_heads": 30}, "4096 cannot be split into 30 heads"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        llama.read_config(LLAMA_3 | change)
