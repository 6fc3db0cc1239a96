"""BERT's config: the published one, variants both ways, and what is not covered."""

import pytest

from trivium.architecture import Dropout, LayerNorm, Learned
from trivium.errors import ModelError
from trivium.families import bert

#: What bert-base-uncased publishes.
BASE = {
    "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768,
    "intermediate_size": 3072, "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert",
    "num_attention_heads": 12, "num_hidden_layers": 12, "position_embedding_type": "absolute", "type_vocab_size": 2,
    "vocab_size": 30522,
}  # fmt: skip


def test_the_published_config() -> None:
    read = bert.read_config(BASE)
    assert read == bert.preset(dropout=0.1, attention_dropout=0.1)
    assert read.parameters == 109_514_298
    layer, embedding = read.encoder.pattern[0], read.encoder.embedding
    assert layer.dropout == Dropout(residual=0.1, attention=0.1)
    assert layer.norms.after == embedding.norm == LayerNorm(1e-12)
    assert (embedding.position, embedding.segments, embedding.dropout) == (Learned(512), 2, 0.1)


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "relu", "silu"])
def test_variants_go_both_ways(activation: str) -> None:
    architecture = bert.preset(dim=24, heads=3, hidden=50, activation=activation, segments=3, eps=1e-6, dropout=0.2)
    assert bert.read_config(bert.write_config(architecture)) == architecture


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden_act": "mish"}, "activation 'mish' is not known; there are gelu"),
        ({"is_decoder": True}, "is_decoder: True"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type: 'relative_key'"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings"),
        ({"num_attention_heads": 7}, "768 cannot be split into 7 heads"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        bert.read_config(BASE | change)
