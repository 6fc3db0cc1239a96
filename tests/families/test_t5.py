"""T5's config: v1.0 and v1.1 as published and as transformers 5 writes it, and v1.1's logits."""

import json

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file

from tests.families.tiny import oracle_logits
from trivium.architecture import Dropout, RelativeBuckets
from trivium.errors import ModelError
from trivium.families import t5
from trivium.model import Transformer
from trivium.weights.folder import load_folder, save_folder

#: What t5-11b publishes.
T5_11B = {
    "d_ff": 65536, "d_kv": 128, "d_model": 1024, "decoder_start_token_id": 0, "dropout_rate": 0.1,
    "is_encoder_decoder": True, "layer_norm_epsilon": 1e-06, "model_type": "t5", "n_positions": 512, "num_heads": 128,
    "num_layers": 24, "relative_attention_num_buckets": 32, "vocab_size": 32128,
}  # fmt: skip
#: What t5-v1_1-small publishes.
V11_SMALL = {
    "d_ff": 1024, "d_kv": 64, "d_model": 512, "dropout_rate": 0.1, "feed_forward_proj": "gated-gelu",
    "is_encoder_decoder": True, "layer_norm_epsilon": 1e-06, "model_type": "t5", "num_decoder_layers": 8,
    "num_heads": 6, "num_layers": 8, "relative_attention_num_buckets": 32, "tie_word_embeddings": False,
    "vocab_size": 32128,
}  # fmt: skip


def test_the_published_configs() -> None:
    first, second = t5.read_config(T5_11B), t5.read_config(V11_SMALL)
    assert (first.parameters, second.parameters) == (11_307_321_344, 76_961_152)
    assert (first.head.tied, first.head.scale) == (True, 1024**-0.5)
    assert (second.head.tied, second.head.scale) == (False, 1.0)
    layer = first.encoder.pattern[0]
    assert (layer.attention.query_dim, layer.attention.scale) == (16_384, 1.0)
    assert layer.position == RelativeBuckets(32, 128)
    assert (layer.mlp.activation, layer.mlp.gated) == ("relu", False)
    mlp = second.decoder.pattern[0].mlp
    assert (mlp.activation, mlp.gated) == ("gelu_tanh", True)
    assert layer.dropout.residual == layer.dropout.attention == layer.dropout.hidden == 0.1


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu_tanh", "silu"])
def test_variants_go_both_ways(activation: str, gated: bool) -> None:
    architecture = t5.preset(
        dim=24, depth=2, decoder_depth=1, heads=3, head_dim=6, activation=activation, gated=gated, tied=not gated,
        buckets=8, max_distance=20, dropout=0.2,
    )  # fmt: skip
    assert t5.read_config(t5.write_config(architecture)) == architecture


def test_v11_through_transformers_and_back(tmp_path) -> None:
    """transformers 5 calls every T5 tied in its config, and keeps two tables where they differ."""
    architecture = t5.preset(
        vocab=97, dim=32, depth=2, heads=4, head_dim=12, hidden=40, activation="gelu_tanh", gated=True, tied=False
    )
    model = Transformer(architecture, torch.Generator().manual_seed(0)).eval()
    save_folder(tmp_path / "ours", model, {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0})
    theirs = hf.AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "ours").eval()
    ids = torch.randint(3, 97, (2, 9))
    with torch.no_grad():
        logits = model(ids, None, ids)
    torch.testing.assert_close(oracle_logits(theirs, ids, None, ids), logits, atol=1e-4, rtol=0)

    theirs.save_pretrained(tmp_path / "theirs")
    assert json.loads((tmp_path / "theirs" / "config.json").read_text())["tie_word_embeddings"] is True
    back = load_folder(tmp_path / "theirs")
    assert back.architecture == architecture
    with torch.no_grad():
        assert torch.equal(back(ids, None, ids), logits)


def test_v1_scales_the_hidden_state_before_its_tied_head() -> None:
    architecture = t5.preset(vocab=97, dim=16, depth=1, heads=2)
    model = Transformer(architecture, torch.Generator().manual_seed(0)).eval()
    ids = torch.randint(3, 97, (1, 5))
    with torch.no_grad():
        hidden, logits = model.hidden(ids, None, ids), model(ids, None, ids)
    torch.testing.assert_close(logits, (hidden / 4) @ model.tokens.weight.T)


def test_the_bias_table_sits_in_the_first_block_of_each_side(tmp_path) -> None:
    """And its heads together need not be as wide as the model."""
    architecture = t5.preset(vocab=97, dim=16, depth=3, heads=4, head_dim=12)
    save_folder(tmp_path, Transformer(architecture))
    stored = load_file(tmp_path / "model.safetensors")
    tables = {name: tuple(tensor.shape) for name, tensor in stored.items() if "relative_attention_bias" in name}
    stem = "block.0.layer.0.SelfAttention"
    assert tables == {f"{side}.{stem}.relative_attention_bias.weight": (32, 4) for side in ("encoder", "decoder")}
    assert stored[f"encoder.{stem}.q.weight"].shape == (48, 16)
    assert stored[f"encoder.{stem}.o.weight"].shape == (16, 48)


def test_dropout_is_where_t5_has_it() -> None:
    """Of the embeddings, the attention weights, the MLP inside, what a sublayer adds, and after the last norm."""
    architecture = t5.preset(dropout=0.1)
    for stack in (architecture.encoder, architecture.decoder):
        assert (stack.embedding.dropout, stack.final_dropout) == (0.1, 0.1)
        assert stack.pattern[0].dropout == Dropout(residual=0.1, attention=0.1, hidden=0.1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"feed_forward_proj": "gated-mish"}, "activation 'mish' is not known"),
        ({"d_kv": 0}, "d_kv: 0"),
        ({"relative_attention_num_buckets": 2}, "even number of buckets"),
    ],
)
def test_what_is_not_covered_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        t5.read_config(V11_SMALL | change)
