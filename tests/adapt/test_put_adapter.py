"""Adapters that PEFT made, on a base of ours; several on one; and those that are refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from tests.adapt.adapters import adapted, logits, peft_adapter, their_logits
from tests.families.tiny import VOCAB, oracle, ours
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import adapted_layers
from trivium.adapt.peft_folder import save_adapter
from trivium.adapt.put_adapter import put_adapter
from trivium.errors import ModelError, UsageError
from trivium.model import Transformer
from trivium.weights.folder import load_folder

TARGETS = {
    "bert": ["query", "attention.output.dense"],
    "gpt2": ["c_attn", "c_proj", "c_fc"],
    "t5": ["q", "v", "wo"],
    "bart": ["q_proj", "v_proj", "fc1"],
    "bloom": ["query_key_value", "dense"],
    "llama": ["q_proj", "down_proj"],
}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"r": 4, "lora_alpha": 6},
    "rank-stabilized, ranks of modules": {
        "r": 3,
        "lora_alpha": 2,
        "use_rslora": True,
        "rank_pattern": {"layer.1.attention.self.query": 5, "h.1.attn.c_attn": 5, "block.1.layer.0.SelfAttention.q": 5},
        "alpha_pattern": {".*0.*": 7},
    },
    "decomposed": {"r": 4, "lora_alpha": 6, "use_dora": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", TARGETS)
def test_ours_says_and_learns_what_peft_does(family: str, kind: str, tmp_path: Path) -> None:
    base = oracle(family)
    plain = ours(base, tmp_path / "base")
    theirs = peft_adapter(base, tmp_path / "adapter", TARGETS[family], **KINDS[kind])
    model = put_adapter(plain, tmp_path / "adapter")
    said, expected = logits(model), their_logits(theirs)
    torch.testing.assert_close(said, expected, atol=1e-5, rtol=1e-5)
    said.square().mean().backward()
    expected.square().mean().backward()
    with torch.no_grad():
        for layer in adapted_layers(model).values():
            for weight in (layer.up.weight, layer.down.weight, getattr(layer, "magnitude", None)):
                if weight is not None and weight.grad is not None:
                    weight.copy_(weight.grad)
                    weight.grad = None  # a shared A is there several times
    save_adapter(tmp_path / "gradients", model, tmp_path / "base")
    found = load_file(tmp_path / "gradients" / "adapter_model.safetensors")
    gradients = {name: weight.grad for name, weight in theirs.named_parameters() if weight.grad is not None}
    torch.testing.assert_close(found, get_peft_model_state_dict(theirs, gradients), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("family", TARGETS)
def test_what_was_read_is_written_again(family: str, tmp_path: Path) -> None:
    base = oracle(family)
    plain = ours(base, tmp_path / "base")
    peft_adapter(base, tmp_path / "adapter", TARGETS[family], **KINDS["rank-stabilized, ranks of modules"])
    save_adapter(tmp_path / "again", put_adapter(plain, tmp_path / "adapter"), tmp_path / "base")
    file = "adapter_model.safetensors"
    torch.testing.assert_close(load_file(tmp_path / "again" / file), load_file(tmp_path / "adapter" / file))
    torch.testing.assert_close(
        logits(put_adapter(plain, tmp_path / "again")), logits(put_adapter(plain, tmp_path / "adapter"))
    )


@pytest.mark.parametrize("family", ["gpt2", "bloom"])
def test_updates_that_stand_side_by_side_come_back_by_themselves(family: str, tmp_path: Path) -> None:
    model = adapted(ours(oracle(family), tmp_path / "base"), Lora(4, 6.0))
    save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    base = load_folder(tmp_path / "base")
    again = put_adapter(base, tmp_path / "adapter")
    for name, layer in adapted_layers(model).items():
        found = again.get_submodule(name)
        assert found.lora.rank == 4
        assert torch.equal(found.down.weight, layer.down.weight)
        assert torch.equal(found.up.weight, layer.up.weight)
    assert adapted_layers(again).keys() == adapted_layers(model).keys()
    # Trained further in PEFT, what was zero is no longer so: then it is one update of all three.
    path = tmp_path / "adapter" / "adapter_model.safetensors"
    header = {"format": "pt", "trivium": _header(path)}
    tensors = {name: tensor + 0.01 if "lora_B" in name else tensor for name, tensor in load_file(path).items()}
    save_file(tensors, path, header)
    fused = put_adapter(base, tmp_path / "adapter")
    assert len(adapted_layers(fused)) == 3 * len(adapted_layers(model)) // 2
    save_file(tensors, path, {"format": "pt"})
    torch.testing.assert_close(logits(fused), logits(put_adapter(base, tmp_path / "adapter")))


def test_several_adapters_stand_on_one_base(tmp_path: Path) -> None:
    base = ours(oracle("t5"), tmp_path / "base")
    before = {name: weight.clone() for name, weight in base.named_parameters()}
    alone = logits(base)
    first = adapted(load_folder(tmp_path / "base"), Lora(2))
    second = adapted(load_folder(tmp_path / "base"), Lora(3, targets=("*mlp*",), decomposed=True))
    for name, model in (("first", first), ("second", second)):
        save_adapter(tmp_path / name, model, tmp_path / "base")
    one, two = put_adapter(base, tmp_path / "first"), put_adapter(base, tmp_path / "second")
    for model, expected in ((one, first), (two, second), (one, first)):
        torch.testing.assert_close(logits(model), logits(expected), atol=1e-5, rtol=1e-5)
    assert torch.equal(logits(base), alone)
    assert not adapted_layers(base)
    assert one.tokens.weight is two.tokens.weight is base.tokens.weight
    own = {id(weight) for weight in base.parameters()}
    assert sum(weight.numel() for weight in one.parameters() if id(weight) not in own) == sum(
        layer.down.weight.numel() + layer.up.weight.numel() for layer in adapted_layers(first).values()
    )
    for name, weight in base.named_parameters():
        assert torch.equal(weight, before[name])
    with pytest.raises(UsageError, match="has an adapter already"):
        put_adapter(one, tmp_path / "second")


def test_a_base_in_another_precision_is_the_same_base(tmp_path: Path) -> None:
    save_adapter(tmp_path / "adapter", adapted(ours(oracle("gpt2"), tmp_path / "base"), Lora()), tmp_path / "base")
    for dtype in (torch.bfloat16, torch.float16):
        model = put_adapter(load_folder(tmp_path / "base", dtype), tmp_path / "adapter")
        assert {weight.dtype for weight in model.parameters()} == {dtype}
        assert torch.isfinite(logits(model)).all()


# ---- what is refused -----------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Transformer, Path]:
    base = ours(oracle("gpt2"), tmp_path / "base")
    save_adapter(tmp_path / "adapter", adapted(load_folder(tmp_path / "base"), Lora()), tmp_path / "base")
    return base, tmp_path / "adapter"


def test_a_base_that_was_changed_is_refused(saved, tmp_path: Path) -> None:
    base, folder = saved
    with torch.no_grad():
        base.decoder.layers[1].mlp.up.weight.mul_(1.01)
    with pytest.raises(ModelError, match=r"trained on other weights .* the decoder differ"):
        put_adapter(base, folder)


def test_the_adapter_of_another_base_is_refused(saved, tmp_path: Path) -> None:
    _, folder = saved
    with pytest.raises(ModelError, match=r"h\.0\.attn\.c_attn.*this llama has no such layer"):
        put_adapter(ours(oracle("llama"), tmp_path / "llama"), folder)
    config = hf.GPT2Config(vocab_size=VOCAB, n_embd=48, n_layer=3, n_head=4, n_positions=64)
    with pytest.raises(ModelError, match=r"lora_A \(16, 32\).*would be lora_A \(16, 48\).*another base"):
        put_adapter(ours(hf.GPT2LMHeadModel(config), tmp_path / "wide"), folder)


def _without_update(tensors: dict[str, torch.Tensor]) -> None:
    tensors.clear()


def _half(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["base_model.model.transformer.h.0.attn.c_attn.lora_B.weight"]


def _endless(tensors: dict[str, torch.Tensor]) -> None:
    tensors["base_model.model.transformer.h.0.attn.c_attn.lora_B.weight"][0, 0] = float("inf")


def _unread(tensors: dict[str, torch.Tensor]) -> None:
    tensors["base_model.model.transformer.wte.weight"] = torch.zeros(2, 2)


def _embedded(tensors: dict[str, torch.Tensor]) -> None:
    tensors["base_model.model.transformer.wte.lora_embedding_A"] = torch.zeros(2, 2)


def _foreign(tensors: dict[str, torch.Tensor]) -> None:
    tensors["h.0.weight"] = torch.zeros(2, 2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_without_update, "no update of any layer"),
        (_half, r"holds for 'transformer.h.0.attn.c_attn' lora_A \(16, 32\), and of rank 16"),
        (_endless, "no numbers"),
        (_unread, "'transformer.wte.weight', which is no update"),
        (_embedded, "lora_embedding_A'.*only updates of linear layers"),
        (_foreign, "'h.0.weight', which is no name of PEFT's"),
    ],
)
def test_tensors_that_make_no_adapter_are_refused(
    change: Callable[[dict[str, torch.Tensor]], None], says: str, saved
) -> None:
    base, folder = saved
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    with pytest.raises(ModelError, match=says):
        put_adapter(base, folder)


def test_a_config_of_another_rank_is_refused(saved) -> None:
    base, folder = saved
    config = folder / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "r": 5}))
    with pytest.raises(ModelError, match="of rank 5 on this base it would be"):
        put_adapter(base, folder)


def test_a_pickle_a_torn_file_and_an_empty_folder_are_refused(saved) -> None:
    base, folder = saved
    path = folder / "adapter_model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="not whole"):
        put_adapter(base, folder)
    torch.save({"x": torch.zeros(1)}, folder / "adapter_model.bin")
    path.unlink()
    with pytest.raises(ModelError, match=r"adapter_model\.bin is a pickle, which can hold a program"):
        put_adapter(base, folder)
    (folder / "adapter_model.bin").unlink()
    with pytest.raises(ModelError, match=r"holds no adapter_model\.safetensors"):
        put_adapter(base, folder)
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(ModelError, match=r"no adapter_config\.json"):
        put_adapter(base, folder)


def _header(path: Path) -> str:
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header: str = json.loads(content[8 : 8 + length])["__metadata__"]["trivium"]
    return header
