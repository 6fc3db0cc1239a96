"""OPT's config and its trap: a table of positions that starts two rows late."""

import pytest
import torch

from tests.families.tiny import oracle, ours
from trivium.architecture import Dropout, Learned, Normal
from trivium.errors import ModelError
from trivium.families import opt

#: What facebook/opt-125m publishes.
PUBLISHED = {
    "_remove_final_layer_norm": False, "activation_function": "relu", "attention_dropout": 0.0, "dropout": 0.1,
    "do_layer_norm_before": True, "ffn_dim": 3072, "hidden_size": 768, "max_position_embeddings": 2048,
    "model_type": "opt", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "vocab_size": 50272,
    "word_embed_proj_dim": 768,
}  # fmt: skip


def test_the_published_config() -> None:
    read = opt.read_config(PUBLISHED)
    assert read == opt.preset(dropout=0.1)
    assert read.context == 2048
    assert read.decoder.embedding.position == Learned(2048, offset=2)
    assert read.decoder.pattern[0].dropout == Dropout(residual=0.1)
    assert read.initialisation == Normal(0.006, scale_residual=True)


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "relu", "silu"])
def test_variants_go_both_ways(activation: str) -> None:
    architecture = opt.preset(dim=24, heads=3, hidden=50, activation=activation, positions=9, attention_dropout=0.1)
    assert opt.read_config(opt.write_config(architecture)) == architecture


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"word_embed_proj_dim": 512}, "word_embed_proj_dim: 512 beside a width of 768"),  # as OPT-350m
        ({"do_layer_norm_before": False}, "do_layer_norm_before: False"),
        ({"enable_bias": False}, "enable_bias: False"),
        ({"activation_function": "mish"}, "activation 'mish' is not known; there are gelu"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        opt.read_config(PUBLISHED | change)


def test_the_first_two_rows_of_positions_are_never_read(tmp_path) -> None:
    model = ours(oracle("opt"), tmp_path)
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        before = model(ids)
        model.decoder.embedding.positions.weight[:2] = 100.0
        assert torch.equal(model(ids), before)
        model.decoder.embedding.positions.weight[2] += 1.0
        assert not torch.allclose(model(ids), before)
