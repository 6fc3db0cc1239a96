"""GPT-2's config: the published one, variants both ways, and what is not covered."""

import pytest

from trivium.errors import ModelError
from trivium.families import gpt2

#: What gpt2 publishes.
SMALL = {
    "activation_function": "gelu_new", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12,
    "n_positions": 1024, "resid_pdrop": 0.1, "vocab_size": 50257,
}  # fmt: skip


def test_the_published_config() -> None:
    read = gpt2.read_config(SMALL)
    assert read == gpt2.preset(dropout=0.1, attention_dropout=0.1, embedding_dropout=0.1)
    assert read.parameters == 124_439_808
    assert read.decoder.pattern[0].mlp.activation == "gelu_tanh"
    assert read.context == 1024


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "relu", "silu"])
def test_variants_go_both_ways(activation: str) -> None:
    architecture = gpt2.preset(dim=24, heads=3, hidden=50, activation=activation, eps=1e-6, embedding_dropout=0.2)
    assert gpt2.read_config(gpt2.write_config(architecture)) == architecture


def test_the_hidden_size_is_four_times_the_width_unless_told() -> None:
    assert gpt2.read_config(SMALL | {"n_inner": None}).decoder.pattern[0].mlp.hidden == 3072
    assert gpt2.read_config(SMALL | {"n_inner": 100}).decoder.pattern[0].mlp.hidden == 100


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"activation_function": "mish"}, "activation 'mish' is not known; there are gelu, gelu_new"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx: True"),
        ({"scale_attn_weights": False}, "scale_attn_weights: False"),
        ({"add_cross_attention": True}, "add_cross_attention"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings"),
        ({"n_head": 7}, "768 cannot be split into 7 heads"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        gpt2.read_config(SMALL | change)
