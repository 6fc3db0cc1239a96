"""Adapters of ours in PEFT, an independent implementation: the same logits, gradients and merged weights."""

import json
from pathlib import Path

import pytest
import torch
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file

from tests.adapt.adapters import adapted, in_peft, logits, their_logits
from tests.families.tiny import oracle, ours
from trivium.adapt.copies import merged
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import DoraLinear, adapted_layers
from trivium.adapt.peft_folder import adapter_base, is_adapter, save_adapter
from trivium.errors import ModelError, UsageError
from trivium.weights.folder import load_folder, save_folder

FAMILIES = ["bert", "gpt2", "t5", "bart", "bloom", "llama"]
KINDS = {
    "default": Lora(),
    "every layer, rank-stabilized": Lora(3, 4.0, targets=("*attention.*", "*mlp.*"), rank_stabilized=True),
    "decomposed": Lora(3, 5.0, targets=("*attention.value", "*attention.output", "*mlp.down"), decomposed=True),
    "published": Lora(4, 6.0, targets=("all-linear",)),
    "one layer": Lora(2, 3.0, targets=("*layers.1.attention.key",)),
}


@pytest.mark.parametrize(
    ("family", "kind"),
    [(family, kind) for family in FAMILIES for kind in KINDS if kind != "one layer" or family in ("gpt2", "bloom")],
)
def test_peft_says_and_learns_the_same(family: str, kind: str, tmp_path: Path) -> None:
    base = oracle(family)
    model = adapted(ours(base, tmp_path / "base"), KINDS[kind])
    save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    theirs = in_peft(base, tmp_path / "adapter")
    said, expected = logits(model), their_logits(theirs)
    torch.testing.assert_close(said, expected, atol=1e-5, rtol=1e-5)
    said.square().mean().backward()
    expected.square().mean().backward()
    # The file is linear in A and B, so gradients in their place are those of the published matrices.
    with torch.no_grad():
        for layer in adapted_layers(model).values():
            parts = [layer.up.weight, *([layer.magnitude] if isinstance(layer, DoraLinear) else [])]
            for weight in [*parts, layer.down.weight]:
                if weight.grad is not None:
                    weight.copy_(weight.grad)
                    weight.grad = None  # a shared A is there several times
    save_adapter(tmp_path / "gradients", model, tmp_path / "base")
    ours_found = load_file(tmp_path / "gradients" / "adapter_model.safetensors")
    gradients = {name: weight.grad for name, weight in theirs.named_parameters() if weight.grad is not None}
    found = get_peft_model_state_dict(theirs, gradients)
    assert found.keys() == ours_found.keys()
    for name, gradient in ours_found.items():
        updated = slice(None) if "lora_B" not in name else gradient != 0  # beside a block of B, PEFT would train more
        if "magnitude" not in name or kind != "decomposed" or family not in ("gpt2", "bloom"):
            torch.testing.assert_close(gradient[updated], found[name][updated], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("kind", ["every layer, rank-stabilized", "decomposed"])
@pytest.mark.parametrize("family", FAMILIES)
def test_peft_merges_to_the_same_weights(family: str, kind: str, tmp_path: Path) -> None:
    base = oracle(family)
    model = adapted(ours(base, tmp_path / "base"), KINDS[kind])
    save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    plain = merged(model)
    assert not adapted_layers(plain)
    torch.testing.assert_close(logits(plain), logits(model), atol=1e-5, rtol=1e-5)
    in_peft(base, tmp_path / "adapter").merge_and_unload().save_pretrained(tmp_path / "theirs")
    theirs = dict(load_folder(tmp_path / "theirs").named_parameters())
    for name, weight in plain.named_parameters():
        torch.testing.assert_close(weight, theirs[name], atol=1e-6, rtol=1e-5)


def test_targets_are_the_shortest_ends_that_name_nothing_else(tmp_path: Path) -> None:
    def targets(family: str, *patterns: str) -> list[str]:
        model = adapted(ours(oracle(family), tmp_path / family), Lora(targets=patterns))
        save_adapter(tmp_path / "adapter", model, "someone/base")
        return json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())["target_modules"]

    assert targets("llama", "*.query", "*.value") == ["q_proj", "v_proj"]
    assert targets("gpt2", "*.query") == ["c_attn"]
    assert targets("gpt2", "*attention.output") == ["attn.c_proj"]  # the MLP has a c_proj too
    assert targets("bert", "*mlp.down") == [f"{index}.output.dense" for index in range(3)]  # attention.output.dense
    assert targets("t5", "*cross_attention.query") == ["EncDecAttention.q"]
    assert targets("t5", "encoder.layers.1.attention.query") == ["encoder.block.1.layer.0.SelfAttention.q"]


def test_ranks_of_single_modules_stand_beside_the_usual_one(tmp_path: Path) -> None:
    lora = Lora(4, 6.0, targets=("*attention.query", "*attention.value", "*mlp.up", "*mlp.down"))
    save_adapter(tmp_path, adapted(ours(oracle("gpt2"), tmp_path / "base"), lora), tmp_path / "base")
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (4, 6)
    assert (config["rank_pattern"], config["alpha_pattern"]) == ({"c_attn": 8}, {"c_attn": 12})
    assert config["fan_in_fan_out"] is True
    assert config["task_type"] == "CAUSAL_LM"


def test_the_base_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = adapted(ours(oracle("bert"), tmp_path / "base"), Lora())
    assert not is_adapter(tmp_path / "adapter")
    save_adapter(tmp_path / "adapter", model, "someone/base")
    assert is_adapter(tmp_path / "adapter")
    assert adapter_base(tmp_path / "adapter") == "someone/base"
    monkeypatch.chdir(tmp_path)
    save_adapter(tmp_path / "adapter", model, "base")
    assert adapter_base(tmp_path / "adapter") == str(tmp_path / "base")  # from wherever it is loaded
    config = tmp_path / "adapter" / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": None}))
    (tmp_path / "base").rename(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="does not say what model it adapts"):
        adapter_base(tmp_path / "adapter")


def test_what_has_no_update_or_no_published_name_is_not_saved(tmp_path: Path) -> None:
    model = ours(oracle("gpt2"), tmp_path / "base")
    with pytest.raises(UsageError, match="no updates of low rank"):
        save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    assert not (tmp_path / "adapter").exists()
    model = adapted(model, Lora())
    with pytest.raises((ModelError, AssertionError)):
        save_folder(tmp_path / "whole", model)


def test_a_head_that_shares_the_table_of_tokens_can_have_an_update(tmp_path: Path) -> None:
    base = oracle("gpt2")
    model = adapted(ours(base, tmp_path / "base"), Lora(targets=("lm_head", "*.query")))
    assert "head.projection" in adapted_layers(model)
    save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    theirs = in_peft(base, tmp_path / "adapter")
    torch.testing.assert_close(logits(model), their_logits(theirs), atol=1e-5, rtol=1e-5)
    with pytest.raises(ModelError, match="a table of its own"):
        merged(model)
