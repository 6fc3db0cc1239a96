"""Models from GGUF and into it: the same logits, `transformers` reading the same file, and what does not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
import transformers as hf

from tests.families.tiny import VOCAB, oracle, ours
from tests.weights.test_folder import random_model
from trivium.architecture import Architecture
from trivium.errors import ModelError, UsageError
from trivium.families import gpt2
from trivium.model import Transformer
from trivium.weights.gguf import load_gguf, save_gguf
from trivium.weights.gguf_file import open_gguf

#: llama.cpp's programs and `transformers` want a vocabulary; the weights do not depend on it.
WORDS = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": [f"t{number}" for number in range(VOCAB)],
    "tokenizer.ggml.merges": ["t 1"],
}
IDS = torch.tensor([[5, 6, 7, 8, 90, 3, 3, 41]])


def shaken(architecture: Architecture) -> Transformer:
    model = Transformer(architecture).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def logits(model: Transformer) -> torch.Tensor:
    with torch.inference_mode():
        return model(IDS)


@pytest.mark.parametrize("family", ["gpt2", "llama", "llama linear", "llama 3.1", "bloom", "bloom six heads"])
def test_float32_gives_the_same_model_back(family: str, tmp_path: Path) -> None:
    model = ours(oracle(family), tmp_path / "folder")
    save_gguf(tmp_path / "x.gguf", model, "f32", WORDS)
    again = load_gguf(open_gguf(tmp_path / "x.gguf"))
    assert again.architecture.decoder.pattern[0].position == model.architecture.decoder.pattern[0].position
    for (name, one), (other, two) in zip(model.named_parameters(), again.named_parameters(), strict=True):
        assert name == other
        assert torch.equal(one, two), name
    assert torch.equal(logits(again), logits(model))
    assert not again.training


@pytest.mark.parametrize("family", ["gpt2", "llama", "bloom"])
@pytest.mark.parametrize("kind", ["f32", "f16", "q8_0"])
def test_transformers_reads_the_file_and_gives_the_same_logits(family: str, kind: str, tmp_path: Path) -> None:
    # Of GPT-2 it knows one length and one shape of MLP, whatever the file says.
    preset = gpt2.preset(vocab=VOCAB, dim=32, depth=2, heads=4, positions=1024)
    model = shaken(preset) if family == "gpt2" else ours(oracle(family), tmp_path / "folder")
    save_gguf(tmp_path / "x.gguf", model, kind, WORDS)
    theirs = hf.AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="x.gguf", dtype=torch.float32).eval()
    read = load_gguf(open_gguf(tmp_path / "x.gguf"))
    with torch.inference_mode():
        expected = theirs(IDS).logits
    torch.testing.assert_close(logits(read), expected, atol=1e-4, rtol=0)
    bound = {"f32": 1e-5, "f16": 2e-2, "q8_0": 0.5}[kind]
    torch.testing.assert_close(logits(read), logits(model), atol=bound, rtol=0)


def test_matrices_are_quantized_and_vectors_and_positions_are_not(tmp_path: Path) -> None:
    save_gguf(tmp_path / "x.gguf", ours(oracle("gpt2"), tmp_path / "folder"), "q8_0", {})
    kinds = {name: entry.kind.name for name, entry in open_gguf(tmp_path / "x.gguf").tensors.items()}
    assert kinds["blk.0.ffn_up.weight"] == kinds["token_embd.weight"] == "Q8_0"
    assert kinds["blk.0.ffn_down.weight"] == "F16"  # rows of 80
    assert kinds["blk.0.attn_norm.weight"] == kinds["blk.0.ffn_up.bias"] == kinds["position_embd.weight"] == "F32"
    assert "output.weight" not in kinds


def test_the_precision_is_as_asked_and_no_second_copy_is_made(tmp_path: Path) -> None:
    save_gguf(tmp_path / "x.gguf", random_model("llama"), "f16", {})
    file = open_gguf(tmp_path / "x.gguf")
    assert load_gguf(file).tokens.weight.dtype == torch.float32
    assert {parameter.dtype for parameter in load_gguf(file, torch.bfloat16).parameters()} == {torch.bfloat16}


def test_llamas_trained_length_is_the_context_of_the_file(tmp_path: Path) -> None:
    save_gguf(tmp_path / "x.gguf", ours(oracle("llama"), tmp_path / "folder"), "f32", {})
    file = open_gguf(tmp_path / "x.gguf")
    assert load_gguf(file).architecture.decoder.trained_length == file.metadata["llama.context_length"] == 2048


# ---- what does not fit ---------------------------------------------------------------------------------------------

Metadata, Tensors = dict[str, Any], dict[str, np.ndarray[Any, Any]]


def rewritten(path: Path, change: Callable[[Metadata, Tensors], object], family: str = "llama") -> Path:
    """The file of a tiny model, changed."""
    save_gguf(path, random_model(family), "f32", {})
    file = open_gguf(path)
    metadata = {key: value for key, value in file.metadata.items() if key != "general.architecture"}
    tensors = {name: file.read(name).numpy() for name in file.tensors}
    architecture = change(metadata, tensors)
    writer = gguf.GGUFWriter(path, architecture if isinstance(architecture, str) else file.architecture)
    types = {bool: "BOOL", int: "UINT32", float: "FLOAT32", str: "STRING", list: "ARRAY"}
    for key, value in metadata.items():
        writer.add_key_value(key, value, gguf.GGUFValueType[types[type(value)]])
    for name, numbers in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(numbers))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m, t: "mamba", "architecture 'mamba', which is not known. Known in GGUF: llama, gpt2, bloom"),
        (lambda m, t: t.pop("blk.0.ffn_gate.weight"), r"lacks model\.layers\.0\.mlp\.gate_proj\.weight"),
        (lambda m, t: t.pop("token_embd.weight"), "lacks the tensor 'token_embd.weight'"),
        (lambda m, t: t.update({"extra.weight": np.zeros(3, "f4")}), r"holds extra\.weight, which nothing reads"),
        (lambda m, t: t.update({"blk.0.attn_v.weight": np.zeros((3, 5), "f4")}), r"v_proj\.weight' as \(3, 5\)"),
        (lambda m, t: t.update({"blk.0.attn_norm.weight": np.full(24, np.nan, "f4")}), "no numbers"),
        (lambda m, t: t.update({"blk.0.attn_norm.weight": np.ones((1, 1), "f4")}), r"as \(1, 1\)"),
        (lambda m, t: m.update({"llama.block_count": 2**31}), "'llama.block_count': 2,147,483,648"),
        (lambda m, t: m.update({"llama.embedding_length": 2**31}), "'llama.embedding_length'"),
        (lambda m, t: m.update({"llama.feed_forward_length": [80, 80]}), "'llama.feed_forward_length'"),
        (lambda m, t: m.update({"llama.attention.head_count": 0}), "a whole number above 0"),
        (lambda m, t: m.update({"llama.attention.head_count_kv": 3}), "cannot share 3 key-value heads"),
        (lambda m, t: m.update({"llama.attention.layer_norm_rms_epsilon": float("nan")}), "a number above 0"),
        (lambda m, t: m.update({"llama.rope.freq_base": -1.0}), "'llama.rope.freq_base'"),
        (lambda m, t: m.update({"llama.rope.dimension_count": 4}), "'llama.rope.dimension_count': 4, and only 6"),
        (lambda m, t: m.update({"llama.rope.scaling.type": "yarn"}), "'yarn', and only 'linear'"),
        (lambda m, t: m.update({"llama.expert_count": 8}), "'llama.expert_count': 8, and only 0"),
        (lambda m, t: t.update({"rope_freqs.weight": np.arange(1, 4, dtype="f4")}), "not LLaMA 3's"),
        (lambda m, t: m.pop("llama.context_length"), "'llama.context_length': None"),
    ],
)
def test_what_does_not_fit_is_named(change: Callable[[Metadata, Tensors], object], said: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=said):
        load_gguf(open_gguf(rewritten(tmp_path / "x.gguf", change)))


def test_a_second_copy_of_the_table_is_checked_where_it_can_be_equal(tmp_path: Path) -> None:
    def copied(metadata: Metadata, tensors: Tensors) -> None:
        tensors["output.weight"] = tensors["token_embd.weight"]

    def altered(metadata: Metadata, tensors: Tensors) -> None:
        tensors["output.weight"] = tensors["token_embd.weight"] + 1

    def requantized(metadata: Metadata, tensors: Tensors) -> None:
        tensors["output.weight"] = tensors["token_embd.weight"].astype("f2")

    for change in (copied, requantized):
        load_gguf(open_gguf(rewritten(tmp_path / "x.gguf", change, "gpt2")))
    with pytest.raises(ModelError, match=r"'lm_head\.weight' is another name"):
        load_gguf(open_gguf(rewritten(tmp_path / "x.gguf", altered, "gpt2")))


def test_what_llama_cpp_has_no_place_for_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="A bert cannot be written as GGUF: llama, gpt2"):
        save_gguf(tmp_path / "x.gguf", random_model("bert"), "f16", {})
    with pytest.raises(UsageError, match="as f32, f16, q8_0, not as 'q9'"):
        save_gguf(tmp_path / "x.gguf", random_model("gpt2"), "q9", {})
    relu = Transformer(gpt2.preset(vocab=9, dim=8, depth=1, heads=2, positions=8, activation="relu"))
    with pytest.raises(ModelError, match="GELU's tanh form, and this one has 'relu'"):
        save_gguf(tmp_path / "x.gguf", relu, "f16", {})
    assert not list(tmp_path.iterdir())
