"""GPT-1's config: the published fields, and what would give other logits."""

import pytest

from trivium.architecture import Dropout, Normal
from trivium.errors import ModelError
from trivium.families import gpt1

#: What openai-community/openai-gpt publishes.
PUBLISHED = {
    "afn": "gelu", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
    "model_type": "openai-gpt", "n_ctx": 512, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 512,
    "resid_pdrop": 0.1, "vocab_size": 40478,
}  # fmt: skip


def test_the_published_config() -> None:
    read = gpt1.read_config(PUBLISHED)
    assert read == gpt1.preset(dropout=0.1, attention_dropout=0.1, embedding_dropout=0.1)
    assert read.decoder.final_norm is None
    layer = read.decoder.pattern[0]
    assert layer.norms.before is None
    assert layer.mlp.activation == "gelu_tanh", "its code calls the tanh form gelu"
    assert layer.dropout == Dropout(residual=0.1, attention=0.1)
    assert read.initialisation == Normal(0.02), "N(0, 0.02), the residual's writers too (section 4.1)"


@pytest.mark.parametrize("activation", ["gelu_tanh", "relu", "silu"])
def test_variants_go_both_ways(activation: str) -> None:
    architecture = gpt1.preset(dim=24, heads=3, activation=activation, eps=1e-6, positions=9)
    assert gpt1.read_config(gpt1.write_config(architecture)) == architecture


def test_what_would_give_other_logits_is_refused() -> None:
    with pytest.raises(ModelError, match="activation 'mish' is not known; there are gelu, relu, silu"):
        gpt1.read_config(PUBLISHED | {"afn": "mish"})
    with pytest.raises(ModelError, match="tie_word_embeddings: False"):
        gpt1.read_config(PUBLISHED | {"tie_word_embeddings": False})
