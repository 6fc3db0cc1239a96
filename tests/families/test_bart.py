"""BART's config and its traps: positions two rows late, the untrained bias of the head, sides of different depth."""

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from tests.families.tiny import oracle, ours
from trivium.architecture import Dropout, Learned, Norms
from trivium.errors import ModelError
from trivium.families import bart
from trivium.model import Transformer
from trivium.weights.folder import load_folder, save_folder

#: What bart-large publishes.
LARGE = {
    "activation_dropout": 0.1, "activation_function": "gelu", "add_final_layer_norm": False, "attention_dropout": 0.1,
    "d_model": 1024, "decoder_attention_heads": 16, "decoder_ffn_dim": 4096, "decoder_layerdrop": 0.0,
    "decoder_layers": 12, "decoder_start_token_id": 2, "dropout": 0.1, "encoder_attention_heads": 16,
    "encoder_ffn_dim": 4096, "encoder_layerdrop": 0.0, "encoder_layers": 12, "is_encoder_decoder": True,
    "max_position_embeddings": 1024, "model_type": "bart", "normalize_before": False, "scale_embedding": False,
    "vocab_size": 50265,
}  # fmt: skip


def test_the_published_config() -> None:
    read = bart.read_config(LARGE)
    assert read == bart.preset(dim=1024, depth=12, heads=16, dropout=0.1, attention_dropout=0.1, hidden_dropout=0.1)
    for stack in (read.encoder, read.decoder):
        layer, embedding = stack.pattern[0], stack.embedding
        assert layer.norms == Norms(after=embedding.norm)
        assert layer.dropout == Dropout(0.1, 0.1, 0.1)
        assert (embedding.position, embedding.scale) == (Learned(1024, offset=2), 1.0)
        assert stack.final_norm is None
    assert read.context == 1024


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "relu", "silu"])
def test_variants_go_both_ways(activation: str, scaled: bool) -> None:
    architecture = bart.preset(
        dim=24, depth=2, decoder_depth=3, heads=3, hidden=50, positions=40, activation=activation, scaled=scaled,
        dropout=0.3, attention_dropout=0.2, hidden_dropout=0.1,
    )  # fmt: skip
    assert architecture.encoder.embedding.scale == (24**0.5 if scaled else 1.0)
    assert bart.read_config(bart.write_config(architecture)) == architecture


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"activation_function": "mish"}, "activation 'mish' is not known; there are gelu"),
        ({"decoder_attention_heads": 8}, "encoder_attention_heads: 16, and only 8"),
        ({"decoder_ffn_dim": 80}, "encoder_ffn_dim: 4096, and only 80"),
        ({"is_encoder_decoder": False}, "is_encoder_decoder: False"),
        ({"is_decoder": True}, "is_decoder: True"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings: False"),
        ({"normalize_before": True}, "normalize_before: True"),
        ({"add_final_layer_norm": True}, "add_final_layer_norm: True"),
        ({"d_model": 1000}, "1000 cannot be split into 16 heads"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        bart.read_config(LARGE | change)


def test_two_rows_of_each_table_stand_before_the_first_position(tmp_path) -> None:
    model = ours(oracle("bart"), tmp_path)
    ids = torch.randint(3, 97, (1, 12))
    for stack in (model.encoder, model.decoder):
        assert stack.embedding.positions.num_embeddings == 66
    with torch.no_grad():
        before = model(ids, None, ids)
        for stack in (model.encoder, model.decoder):
            stack.embedding.positions.weight[:2] = float("nan")
            stack.embedding.positions.weight[2 + 12 :] = float("nan")
        assert torch.equal(model(ids, None, ids), before)


def test_a_final_bias_of_zeros_is_read_past_and_another_is_refused(tmp_path) -> None:
    theirs = oracle("bart")
    theirs.save_pretrained(tmp_path)
    stored = load_file(tmp_path / "model.safetensors")
    assert stored["final_logits_bias"].shape == (1, 97)
    load_folder(tmp_path)
    stored["final_logits_bias"][0, 5] = 0.25
    save_file(stored, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="'final_logits_bias' is not zero everywhere"):
        load_folder(tmp_path)


def test_the_final_bias_is_not_written(tmp_path) -> None:
    architecture = bart.preset(vocab=97, dim=32, depth=2, decoder_depth=1, heads=4, positions=30)
    save_folder(tmp_path, Transformer(architecture, torch.Generator().manual_seed(0)))
    assert "final_logits_bias" not in load_file(tmp_path / "model.safetensors")
    opened, report = hf.AutoModelForSeq2SeqLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert not opened.final_logits_bias.any()


@pytest.mark.parametrize("name", ["encoder", "decoder"])
def test_old_and_bare_files_open(name: str, tmp_path) -> None:
    """Of the bare model, without the prefix; with second names of the tokens and a version that nobody reads."""
    theirs = oracle("bart")
    theirs.model.save_pretrained(tmp_path)
    stored = load_file(tmp_path / "model.safetensors")
    assert "shared.weight" in stored
    stored[f"{name}.embed_tokens.weight"] = stored["shared.weight"].clone()
    stored[f"{name}.version"] = torch.tensor([3.0])
    save_file(stored, tmp_path / "model.safetensors", {"format": "pt"})
    model = load_folder(tmp_path)
    assert torch.equal(model.tokens.weight, theirs.model.shared.weight)
    stored[f"{name}.embed_tokens.weight"][0, 0] += 1
    save_file(stored, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=f"'model.{name}.embed_tokens.weight' is another name"):
        load_folder(tmp_path)
