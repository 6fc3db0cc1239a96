"""Exports of every family: opened by Trivium and `transformers`, whole or absent, and rejected when they are wrong."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from tests.adapt.adapters import adapted
from tests.decode.tiny import speaker
from tests.families.tiny import BUILDERS, oracle, oracle_logits
from trivium import export as module
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import LoraLinear
from trivium.adapt.peft_folder import save_adapter
from trivium.errors import ModelError, ParityError, UsageError
from trivium.evaluate.parity import BOUNDS
from trivium.export import export_model
from trivium.language_model import LanguageModel, load
from trivium.weights.folder import load_folder

CLASSES = {
    "bert": hf.AutoModelForMaskedLM,
    "gpt2": hf.AutoModelForCausalLM,
    "llama": hf.AutoModelForCausalLM,
    "t5": hf.AutoModelForSeq2SeqLM,
}


@pytest.fixture
def saved(tmp_path: Path):
    def save(family: str, template: str | None = None) -> Path:
        model, words = speaker(family)
        words.chat_template = template
        LanguageModel(model, words).save(tmp_path / family)
        words.chat_template = None
        return tmp_path / family

    return save


# ---- what is written -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("family", CLASSES)
def test_a_folder_opens_in_transformers_with_the_logits_of_the_model(family: str, dtype: str, saved, tmp_path) -> None:
    done = export_model(saved(family), tmp_path / "out", dtype=dtype)
    assert done.parity.passed
    assert (done.dtype, done.form) == (dtype, "hf")
    theirs = CLASSES[family].from_pretrained(tmp_path / "out")
    assert theirs.dtype == getattr(torch, dtype)
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    decoder_ids = torch.tensor([[0, 9]]) if family == "t5" else None
    model = speaker(family)[0].to(getattr(torch, dtype)).float()
    expected = oracle_logits(theirs.float().eval(), ids, None, decoder_ids)
    with torch.no_grad():
        torch.testing.assert_close(model(ids, None, decoder_ids), expected, atol=1e-4, rtol=0)


def test_a_model_keeps_its_precision_unless_told(saved, tmp_path: Path) -> None:
    export_model(saved("gpt2"), tmp_path / "half", dtype="bfloat16")
    again = export_model(tmp_path / "half", tmp_path / "again")
    assert again.dtype == "bfloat16"
    assert again.parity.logit_gap == 0
    assert (tmp_path / "half" / "model.safetensors").read_bytes() == (
        tmp_path / "again" / "model.safetensors"
    ).read_bytes()
    wider = export_model(tmp_path / "half", tmp_path / "wider", dtype="float32")
    assert wider.parity.logit_gap == 0


def test_shards_open_in_transformers(saved, tmp_path: Path) -> None:
    export_model(saved("gpt2"), tmp_path / "out", max_shard_bytes=20_000)
    parts = sorted(path.name for path in (tmp_path / "out").glob("*.safetensors"))
    assert len(parts) > 2
    assert parts[0] == f"model-00001-of-{len(parts):05}.safetensors"
    theirs = hf.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    ids = torch.tensor([[5, 6, 7]])
    torch.testing.assert_close(
        oracle_logits(theirs, ids), load(tmp_path / "out").logits(ids).clone(), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("dtype", ["float32", "float16", "q8_0"])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_gguf_is_read_again_and_passes(family: str, dtype: str, saved, tmp_path: Path) -> None:
    done = export_model(saved(family), tmp_path / "m.gguf", "gguf", dtype)
    assert done.parity.passed
    assert not done.parity.bound.same_file
    assert load(tmp_path / "m.gguf").architecture.kind == "decoder"
    assert sorted(path.name for path in tmp_path.iterdir()) == [family, "m.gguf"]


def test_a_report_is_plain_data(saved, tmp_path: Path) -> None:
    done = export_model(saved("gpt2"), tmp_path / "out")
    content = json.loads(json.dumps(done.to_dict()))
    assert content["parity"]["passed"]
    assert content["bytes"] == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())


# ---- what is wrong is rejected -------------------------------------------------------------------------------------


def spoiling(monkeypatch: pytest.MonkeyPatch, spoil) -> None:
    """Exports are spoiled once they are written, before they are read again."""
    real = module._write

    def write(lm, place: Path, *rest):
        said = real(lm, place, *rest)
        spoil(place)
        return said

    monkeypatch.setattr(module, "_write", write)


def weights_changed(change):
    def spoil(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors", {"format": "pt"})

    return spoil


def zero_one(weights: dict) -> None:
    weights["transformer.h.1.attn.c_proj.weight"].zero_()


def swap_two(weights: dict) -> None:
    first, second = "transformer.h.0.mlp.c_proj.weight", "transformer.h.1.mlp.c_proj.weight"
    weights[first], weights[second] = weights[second], weights[first]


def swap_rows(weights: dict) -> None:
    table = weights["transformer.wpe.weight"]
    table[[3, 4]] = table[[4, 3]]


def content_changed(name: str, change):
    def spoil(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        change(content)
        (folder / name).write_text(json.dumps(content))

    return spoil


DAMAGE = {
    "zeroed weight": (weights_changed(zero_one), "the weights or the config differ"),
    "swapped weights": (weights_changed(swap_two), "the weights or the config differ"),
    "swapped rows": (weights_changed(swap_rows), "the weights or the config differ"),
    "config": (content_changed("config.json", lambda c: c.update(layer_norm_epsilon=0.1)), "weights or the config"),
    "merge": (content_changed("tokenizer.json", lambda c: c["model"]["merges"].pop(3)), "a merge or piece differs"),
    "role": (content_changed("tokenizer_config.json", lambda c: c.update(bos_token="<|pad|>")), "encoded differently"),
    "template": (lambda f: (f / "chat_template.jinja").write_text("{% broken"), "The chat template is another one"),
    "no template": (lambda f: (f / "chat_template.jinja").unlink(), "The chat template was lost"),
    "NaN": (weights_changed(lambda w: w["transformer.wpe.weight"].fill_(torch.nan)), "are no numbers"),
    "missing": (weights_changed(lambda w: w.pop("transformer.wpe.weight")), "lacks transformer.wpe.weight"),
    "no file": (lambda f: (f / "model.safetensors").write_bytes(b""), "cannot be read again"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").write_bytes(b"{"), "cannot be read again"),
}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_export_is_rejected_and_the_old_one_stays(
    damage: str, dtype: str, saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil, said = DAMAGE[damage]
    source = saved("gpt2", "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}")
    target = tmp_path / "out"
    export_model(source, target, dtype=dtype)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    spoiling(monkeypatch, spoil)
    with pytest.raises(ParityError, match=said) as caught:
        export_model(source, target, dtype=dtype, force=True)
    assert "out.rejected" in str(caught.value)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert (tmp_path / "out.rejected" / "config.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gpt2", "out", "out.rejected"]


def test_a_rejected_gguf_can_be_looked_at(saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = saved("llama")
    lm = load(source)
    other = LanguageModel(speaker("llama", seed=1)[0], lm.tokenizer)
    spoiling(monkeypatch, lambda place: module.write_gguf(place, other.model, other.tokenizer, "f16"))
    with pytest.raises(ParityError, match=r"kept as .*m\.rejected\.gguf"):
        export_model(source, tmp_path / "m.gguf", "gguf")
    assert load(tmp_path / "m.rejected.gguf").architecture == load(tmp_path / "m.rejected.gguf").architecture
    assert not (tmp_path / "m.gguf").exists()


# ---- what is refused, and what is not lost -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("out", {"form": "onnx"}, r"no form 'onnx'.*hf, gguf"),
        ("out", {"dtype": "q8_0"}, r"form hf has no dtype 'q8_0'.*bfloat16"),
        ("m.gguf", {"form": "gguf", "dtype": "bfloat16"}, r"form gguf has no dtype 'bfloat16'.*q8_0"),
        ("out", {"form": "gguf"}, r"must end in \.gguf"),
        ("m.gguf", {}, r"must not end in \.gguf"),
        ("m.gguf", {"form": "gguf", "max_shard_bytes": 5}, "one file"),
        ("out", {"max_shard_bytes": 0}, "above 0"),
        ("gpt2", {"force": True}, "the model itself"),
        ("gpt2", {}, "is there already"),
        ("other", {"force": True}, "other things than a model"),
        ("run", {"force": True}, "is a run"),
        ("file", {"force": True}, "a file, and the form hf is a folder"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_loaded(target: str, options: dict, said: str, saved, tmp_path) -> None:
    source = saved("gpt2")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("Dear")
    (tmp_path / "run").mkdir()
    for name in ("run.yaml", "config.json"):
        (tmp_path / "run" / name).write_text("{}")
    (tmp_path / "file").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=said):
        export_model(source, tmp_path / target, **options)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("family", ["bert", "t5"])
def test_gguf_is_for_decoders(family: str, saved, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"programs that run decoders.*--format hf"):
        export_model(saved(family), tmp_path / "m.gguf", "gguf")


def test_numbers_too_large_for_float16_are_named(tmp_path: Path) -> None:
    model, words = speaker("llama")
    with torch.no_grad():
        model.decoder.final_norm.weight[0] = 1e5
    LanguageModel(model, words).save(tmp_path / "large")
    with pytest.raises(ModelError, match=r"'decoder\.final_norm\.weight' holds numbers beyond 65,504.*bfloat16"):
        export_model(tmp_path / "large", tmp_path / "out", dtype="float16")
    assert [path.name for path in tmp_path.iterdir()] == ["large"]


@pytest.mark.slow
def test_killed_at_any_moment_the_old_export_is_whole(saved, tmp_path: Path) -> None:
    source, target = saved("gpt2"), tmp_path / "out"
    export_model(source, target)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom trivium import export\n"
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        "setattr(export, sys.argv[1], die)\n"
        "export.export_model(sys.argv[2], Path(sys.argv[3]), force=True)\n"
    )
    for moment in ("_judged", "compare"):
        done = subprocess.run([sys.executable, "-c", code, moment, str(source), str(target)], env=dict(os.environ))
        assert done.returncode == -signal.SIGKILL
        assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    export_model(source, target, force=True)


# ---- adapters ------------------------------------------------------------------------------------------------------


@pytest.fixture
def adapter(tmp_path: Path, saved):
    def save(family: str, **options) -> Path:
        base = saved(family)
        model = adapted(load_folder(base), Lora(4, targets=("*attention*", "*mlp.up"), **options))
        save_adapter(tmp_path / "adapter", model, base)
        return tmp_path / "adapter"

    return save


@pytest.mark.parametrize("options", [{}, {"decomposed": True, "rank_stabilized": True}])
@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_an_adapter_is_merged_past_the_gate_and_opens_in_transformers(family: str, options, adapter, tmp_path) -> None:
    folder = adapter(family, **options)
    done = export_model(folder, tmp_path / "out", merge=True)
    assert done.parity.passed
    assert done.parity.bound == replace(BOUNDS["float32"], logit_gap=None)
    assert not (tmp_path / "out" / "adapter_config.json").exists()
    theirs = CLASSES[family].from_pretrained(tmp_path / "out").eval()
    lm = load(folder, device="cpu")
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    decoder_ids = torch.tensor([[0, 9]]) if family == "t5" else None
    expected = oracle_logits(theirs, ids, None, decoder_ids)
    torch.testing.assert_close(lm.logits(ids, None, decoder_ids), expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(("form", "dtype"), [("hf", "bfloat16"), ("gguf", "q8_0"), ("gguf", None)])
def test_an_adapter_is_merged_into_smaller_forms(form: str, dtype: str | None, adapter, tmp_path: Path) -> None:
    target = tmp_path / ("out.gguf" if form == "gguf" else "out")
    assert export_model(adapter("gpt2"), target, form, dtype, merge=True).parity.passed
    assert load(target, device="cpu").architecture.family == "gpt2"


def test_a_base_in_bfloat16_is_merged_to_its_own_rounding(tmp_path: Path, saved) -> None:
    lm = load(saved("gpt2"), device="cpu")
    lm.model.to(torch.bfloat16)
    lm.save(tmp_path / "low")
    model = adapted(load_folder(tmp_path / "low"), Lora())
    save_adapter(tmp_path / "adapter", model, tmp_path / "low")
    done = export_model(tmp_path / "adapter", tmp_path / "out", merge=True)
    assert done.dtype == "bfloat16"
    assert done.parity.bound == BOUNDS["bfloat16"]  # the sums had to be rounded


def test_merging_is_asked_for_where_there_is_something_to_merge(adapter, saved, tmp_path: Path) -> None:
    folder = adapter("gpt2")
    with pytest.raises(UsageError, match=r"is an adapter\. With --merge"):
        export_model(folder, tmp_path / "out")
    with pytest.raises(UsageError, match="no adapter, so there is nothing to merge"):
        export_model(tmp_path / "gpt2", tmp_path / "out", merge=True)
    (tmp_path / "gpt2").rename(tmp_path / "moved")
    with pytest.raises(ModelError, match="cannot be had"):
        export_model(folder, tmp_path / "out", merge=True)
    assert export_model(folder, tmp_path / "out", merge=True, base=tmp_path / "moved").parity.passed


def test_a_merge_that_says_something_else_is_rejected(adapter, tmp_path: Path, monkeypatch) -> None:
    folder = adapter("gpt2")
    wrong = LoraLinear.merged_weight
    monkeypatch.setattr(LoraLinear, "merged_weight", lambda layer: wrong(layer) * 1.02)
    with pytest.raises(ParityError, match="relative error"):
        export_model(folder, tmp_path / "out", merge=True)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "out.rejected").is_dir()


# ---- every family's own layout -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_every_variant_of_transformers_goes_through(name: str, tmp_path: Path) -> None:
    """A model that `transformers` made is exported, and `transformers` says the same of the export."""
    theirs = oracle(name)
    theirs.save_pretrained(tmp_path / "in")
    tokenizer_for(theirs.config).save(tmp_path / "in")
    export_model(tmp_path / "in", tmp_path / "out")
    again = type(theirs).from_pretrained(tmp_path / "out").eval()
    ids = torch.randint(3, 90, (2, 12), generator=torch.Generator().manual_seed(0))
    decoder_ids = ids[:, :5] if theirs.config.is_encoder_decoder else None
    torch.testing.assert_close(
        oracle_logits(again, ids, None, decoder_ids), oracle_logits(theirs, ids, None, decoder_ids), atol=1e-5, rtol=0
    )


def tokenizer_for(config):
    """A tokenizer of bytes that fits the oracle's few ids: what it reads matters little here."""
    import tokenizers

    from trivium.text.tokenizer import Tokenizer

    letters = [chr(code) for code in range(97, 123)]
    vocabulary = {token: number for number, token in enumerate(["<pad>", "<s>", "</s>", "<unk>", "<mask>", *letters])}
    raw = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, [], unk_token="<unk>"))
    raw.add_special_tokens(["<pad>", "<s>", "</s>", "<unk>", "<mask>"])
    roles = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    if not config.is_encoder_decoder:
        roles["mask_token"] = "<mask>"
    return Tokenizer(raw, roles)
