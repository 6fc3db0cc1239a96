"""BLOOM's config and its trap: queries, keys and values that stand head by head in one tensor."""

import pytest
import torch

from tests.families.tiny import oracle, ours
from trivium.architecture import Dropout, LayerNorm, Normal
from trivium.errors import ModelError
from trivium.families import bloom

#: What bloom-560m publishes.
PUBLISHED = {
    "apply_residual_connection_post_layernorm": False, "attention_dropout": 0.0, "bos_token_id": 1,
    "hidden_dropout": 0.0, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "bloom",
    "n_embed": 1024, "n_layer": 24, "num_attention_heads": 16, "seq_length": 2048, "vocab_size": 250880,
}  # fmt: skip


def test_the_published_config() -> None:
    read = bloom.read_config(PUBLISHED)
    assert read == bloom.preset()
    assert read.context is None
    assert read.decoder.trained_length == 2048
    assert read.decoder.embedding.norm == LayerNorm(1e-5)
    assert read.initialisation == Normal(0.02, scale_residual=True)


def test_variants_go_both_ways() -> None:
    architecture = bloom.preset(dim=24, heads=3, eps=1e-6, std=0.01, dropout=0.1, attention_dropout=0.2, positions=9)
    assert architecture.decoder.pattern[0].dropout == Dropout(residual=0.1, attention=0.2)
    assert bloom.read_config(bloom.write_config(architecture)) == architecture


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"apply_residual_connection_post_layernorm": True}, "apply_residual_connection_post_layernorm: True"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings: False"),
        ({"num_attention_heads": 15}, "1024 cannot be split into 15 heads"),
        ({"n_layer": 0}, "n_layer: 0"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        bloom.read_config(PUBLISHED | change)


def test_queries_keys_and_values_stand_head_by_head(tmp_path) -> None:
    theirs = oracle("bloom")
    attention, heads = ours(theirs, tmp_path).decoder.layers[1].attention, 4
    fused = theirs.transformer.h[1].self_attention.query_key_value
    size = fused.in_features // heads
    for head in range(heads):
        for place, part in enumerate((attention.query, attention.key, attention.value)):
            begin = (3 * head + place) * size
            mine = slice(head * size, (head + 1) * size)
            assert torch.equal(part.weight[mine], fused.weight[begin : begin + size])
            assert torch.equal(part.bias[mine], fused.bias[begin : begin + size])
