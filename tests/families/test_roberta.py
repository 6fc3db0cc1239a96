"""RoBERTa's config and its traps: positions behind the padding's id, and which relatives share its form."""

import json

import pytest
import torch
import transformers as hf

from tests.families.tiny import oracle, oracle_logits, ours
from trivium.architecture import Dropout, LayerNorm, Learned
from trivium.errors import ModelError
from trivium.families import roberta
from trivium.model import Transformer
from trivium.weights.folder import load_folder, save_folder

#: What roberta-base publishes.
BASE = {
    "attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1, "hidden_size": 768, "intermediate_size": 3072, "layer_norm_eps": 1e-05,
    "max_position_embeddings": 514, "model_type": "roberta", "num_attention_heads": 12, "num_hidden_layers": 12,
    "pad_token_id": 1, "type_vocab_size": 1, "vocab_size": 50265,
}  # fmt: skip


def test_the_published_config() -> None:
    read = roberta.read_config(BASE)
    assert read == roberta.preset(dropout=0.1, attention_dropout=0.1)
    assert read.context == 512
    layer, embedding = read.encoder.pattern[0], read.encoder.embedding
    assert layer.dropout == Dropout(residual=0.1, attention=0.1)
    assert layer.norms.after == embedding.norm == LayerNorm(1e-5)
    assert (embedding.position, embedding.segments) == (Learned(512, offset=2), 1)


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "relu", "silu"])
def test_variants_go_both_ways(activation: str) -> None:
    architecture = roberta.preset(dim=24, heads=3, hidden=50, positions=9, activation=activation, segments=3, eps=1e-6)
    assert architecture.head.transform == "gelu"
    written = roberta.write_config(architecture)
    assert written["max_position_embeddings"] == 11
    assert roberta.read_config(written) == architecture


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden_act": "mish"}, "activation 'mish' is not known; there are gelu"),
        ({"pad_token_id": None}, "pad_token_id: None"),
        ({"pad_token_id": -1}, "pad_token_id: -1"),
        ({"max_position_embeddings": 2}, "pad_token_id: 1 in a table of 2 positions"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type: 'relative_key'"),
        ({"is_decoder": True}, "is_decoder: True"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        roberta.read_config(BASE | change)


def test_positions_skip_the_padding(tmp_path) -> None:
    """On both sides of a row, and the two rows before the first position are read by no word."""
    model = ours(oracle("roberta"), tmp_path)
    word = torch.randint(3, 97, (1, 7))
    with torch.no_grad():
        alone = model(word)
        model.encoder.embedding.positions.weight[:2] = float("nan")
        assert torch.equal(model(word), alone)
        model.encoder.embedding.positions.weight[:2] = 0.0
        padded = torch.cat((torch.ones(1, 4, dtype=torch.long), word, torch.ones(1, 2, dtype=torch.long)), dim=1)
        found = model(padded, (padded != 1).long())[:, 4:-2]
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("padding", [0, 3])
def test_another_padding_moves_the_positions(padding: int, tmp_path) -> None:
    config = hf.RobertaConfig(
        vocab_size=97, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=80,
        max_position_embeddings=30, type_vocab_size=1, pad_token_id=padding,
    )  # fmt: skip
    torch.manual_seed(0)
    theirs = hf.RobertaForMaskedLM(config).eval()
    model = ours(theirs, tmp_path)
    assert model.architecture.encoder.embedding.position == Learned(29 - padding, offset=padding + 1)
    ids = torch.randint(5, 97, (2, 11))
    with torch.no_grad():
        logits = model(ids)
    torch.testing.assert_close(logits, oracle_logits(theirs, ids), atol=1e-4, rtol=0)


def test_a_tokenizer_with_another_padding_does_not_move_them(tmp_path) -> None:
    model = Transformer(roberta.preset(vocab=97, dim=32, depth=1, heads=4, positions=20)).eval()
    save_folder(tmp_path, model, {"pad_token_id": 0})
    assert json.loads((tmp_path / "config.json").read_text())["pad_token_id"] == 1
    theirs = hf.AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    ids = torch.randint(5, 97, (2, 11))
    with torch.no_grad():
        logits = model(ids)
    torch.testing.assert_close(oracle_logits(theirs, ids), logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", [hf.XLMRobertaForMaskedLM, hf.CamembertForMaskedLM])
def test_relatives_in_the_same_form(kind: type[hf.PreTrainedModel], tmp_path) -> None:
    config = kind.config_class(
        vocab_size=97, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=80,
        max_position_embeddings=30, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    theirs = kind(config).eval()
    model = ours(theirs, tmp_path / "theirs")
    assert model.architecture.family == "roberta"
    assert model.architecture.encoder.embedding.position == Learned(28, offset=2)
    ids = torch.randint(3, 97, (2, 11))
    with torch.no_grad():
        logits = model(ids)
    torch.testing.assert_close(logits, oracle_logits(theirs, ids), atol=1e-4, rtol=0)
    save_folder(tmp_path / "ours", model)
    assert load_folder(tmp_path / "ours").architecture == model.architecture
