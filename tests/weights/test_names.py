"""A family's table spelled out: every parameter once, stacked and transposed exactly, both ways."""

import pytest
import torch

from tests.test_architecture import TINY
from trivium.errors import ModelError
from trivium.families.registry import family_named
from trivium.model import Transformer
from trivium.weights.names import Entry, entries, from_stored, ignored_names, tied_names, to_stored, zero_names


def model(name: str) -> Transformer:
    return Transformer(TINY[name], torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", TINY)
def test_every_parameter_goes_out_once_and_comes_back(name: str) -> None:
    built = model(name)
    parameters = dict(built.named_parameters())
    table = entries(built, family_named(built.architecture.family))
    assert len({entry.stored for entry in table}) == len(table)
    back = {}
    for entry in table:
        stored = to_stored(entry, parameters)
        assert tuple(stored.shape) == entry.stored_shape(parameters)
        assert stored.is_contiguous()
        back |= dict(from_stored(entry, stored, parameters))
    assert back.keys() == parameters.keys()
    for name, parameter in parameters.items():
        assert torch.equal(back[name], parameter), name


def test_gpt2_stacks_and_transposes() -> None:
    """The published c_attn is (in, 3 · out): queries, keys, values side by side."""
    built = model("gpt2")
    parameters = dict(built.named_parameters())
    stored = {entry.stored: to_stored(entry, parameters) for entry in entries(built, family_named("gpt2"))}
    attention, mlp = built.decoder.layers[1].attention, built.decoder.layers[1].mlp
    weight, bias = (stored[f"transformer.h.1.attn.c_attn.{kind}"] for kind in ("weight", "bias"))
    assert (weight.shape, bias.shape) == ((24, 72), (72,))
    for index, linear in enumerate((attention.query, attention.key, attention.value)):
        columns = slice(24 * index, 24 * (index + 1))
        assert torch.equal(weight[:, columns], linear.weight.T)
        assert torch.equal(bias[columns], linear.bias)
    assert torch.equal(stored["transformer.h.1.mlp.c_fc.weight"], mlp.up.weight.T)
    assert torch.equal(stored["transformer.h.1.mlp.c_fc.bias"], mlp.up.bias)


def test_a_shape_that_does_not_fit_names_the_tensor() -> None:
    parameters = {"q": torch.zeros(4, 3), "k": torch.zeros(2, 3)}
    entry = Entry("h.0.c_attn.weight", ("q", "k"), transposed=True)
    assert entry.stored_shape(parameters) == (3, 6)
    with pytest.raises(ModelError, match=r"'h.0.c_attn.weight' as \(6, 3\), and the config asks for \(3, 6\)"):
        from_stored(entry, torch.zeros(6, 3), parameters)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bert", {"cls.predictions.decoder.weight": "tokens", "cls.predictions.decoder.bias": "head.projection"}),
        ("gpt2", {"lm_head.weight": "tokens"}),
        ("llama", {"lm_head.weight": "tokens"}),
        ("grouped", {}),
        (
            "t5",
            dict.fromkeys(("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"), "tokens"),
        ),
    ],
)
def test_second_names_of_a_tensor(name: str, expected: dict[str, str]) -> None:
    full = {second: f"{first}.{second.rpartition('.')[2]}" for second, first in expected.items()}
    built = model(name)
    assert tied_names(built, family_named(built.architecture.family)) == full


def test_sides_of_different_depth_have_their_own_layers() -> None:
    built = model("t5 v1.1")
    stored = {entry.stored.split(".layer.")[0] for entry in entries(built, family_named("t5"))}
    assert {name for name in stored if ".block." in name} == {"encoder.block.0", "encoder.block.1", "decoder.block.0"}


def test_what_must_be_zero_is_named_and_never_written() -> None:
    built, family = model("bart"), family_named("bart")
    assert zero_names(family, built) == ("final_logits_bias",)
    assert ignored_names(family, built).fullmatch("final_logits_bias")
    assert "final_logits_bias" not in {entry.stored for entry in entries(built, family)}
    assert zero_names(family_named("t5"), model("t5")) == ()


@pytest.mark.parametrize(
    ("family", "ignored", "read"),
    [
        ("bert", "bert.pooler.dense.weight", "bert.encoder.layer.0.output.dense.weight"),
        ("bert", "bert.embeddings.position_ids", "bert.embeddings.position_embeddings.weight"),
        ("gpt2", "transformer.h.11.attn.bias", "transformer.h.11.attn.c_attn.bias"),
        ("gpt2", "transformer.h.0.attn.masked_bias", "transformer.h.x.attn.bias"),
        ("llama", "model.layers.31.self_attn.rotary_emb.inv_freq", "model.layers.31.self_attn.q_proj.weight"),
        ("t5", "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
         "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
    ],
)  # fmt: skip
def test_what_nobody_reads_is_named_exactly(family: str, ignored: str, read: str) -> None:
    pattern = ignored_names(family_named(family), model(family))
    assert pattern.fullmatch(ignored)
    assert not pattern.fullmatch(read)
