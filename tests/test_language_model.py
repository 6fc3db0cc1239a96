"""The Python face: load, use and save a model of every family, and what `transformers` makes of the folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers as hf

import trivium
from tests.decode.tiny import speaker
from trivium.data import catalogue
from trivium.decode.prompt import prompt_ids
from trivium.errors import DataError, ModelError, UnavailableError, UsageError
from trivium.language_model import LanguageModel, load
from trivium.text.gguf import write_gguf
from trivium.text.gguf_vocabulary import tokenizer_metadata
from trivium.weights.gguf import save_gguf

FAMILIES = ["bert", "gpt2", "llama", "t5"]
SPEAKERS = FAMILIES[1:]
CLASSES = {
    "bert": hf.AutoModelForMaskedLM,
    "gpt2": hf.AutoModelForCausalLM,
    "llama": hf.AutoModelForCausalLM,
    "t5": hf.AutoModelForSeq2SeqLM,
}


def made(family: str) -> LanguageModel:
    return LanguageModel(*speaker(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_model_loads_as_it_was(family: str, tmp_path: Path) -> None:
    lm = made(family)
    lm.save(tmp_path)
    again = load(tmp_path)
    assert again.architecture.parameters == lm.architecture.parameters
    assert again.tokenizer.fingerprint == lm.tokenizer.fingerprint
    ids = torch.tensor([[5, 6, 7, 8]])
    decoder_ids = torch.tensor([[0, 9]]) if family == "t5" else None
    assert torch.equal(again.logits(ids, None, decoder_ids), lm.logits(ids, None, decoder_ids))
    assert lm.architecture.family in repr(lm)


@pytest.mark.parametrize("family", FAMILIES)
def test_transformers_opens_the_folder_and_gives_the_same_logits(family: str, tmp_path: Path) -> None:
    lm = made(family)
    lm.save(tmp_path)
    theirs = CLASSES[family].from_pretrained(tmp_path).eval()
    ids, mask = torch.tensor([[5, 6, 7, 8], [9, 10, 0, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    decoder_ids = torch.tensor([[0, 9], [0, 4]]) if family == "t5" else None
    extra = {} if decoder_ids is None else {"decoder_input_ids": decoder_ids}
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=mask, **extra).logits
    real = mask.bool() if decoder_ids is None else torch.ones_like(decoder_ids).bool()
    torch.testing.assert_close(lm.logits(ids, mask, decoder_ids)[real], expected[real], atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", SPEAKERS)
def test_transformers_generates_the_same_text_from_the_folder(family: str, tmp_path: Path) -> None:
    """With its own tokenizer, its own generate and our generation_config.json."""
    lm = made(family)
    lm.save(tmp_path)
    theirs = CLASSES[family].from_pretrained(tmp_path).eval()
    words = hf.AutoTokenizer.from_pretrained(tmp_path)
    text = "The old sailor"
    ids = words(text, return_tensors="pt").input_ids
    if family != "t5":  # GPT-2's template adds no begin token; ours is read with one, as it was trained
        ids = torch.cat((torch.tensor([[lm.tokenizer.begin_id]]), ids), dim=1)
    out = theirs.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=20)
    completion = lm.generate(text, max_tokens=20)
    skipped = 1 if family == "t5" else ids.shape[1]
    assert out[0, skipped:].tolist() == list(completion.tokens)


@pytest.mark.parametrize("family", SPEAKERS)
def test_one_prompt_gives_one_completion_and_many_give_many(family: str) -> None:
    lm = made(family)
    one = lm.generate("The cat", max_tokens=8, temperature=0)
    assert [one.tokens] == [done.tokens for done in lm.generate(["The cat"], max_tokens=8, temperature=0)]
    assert "".join(delta.text for delta in lm.stream("The cat", max_tokens=8, temperature=0)) == one.text


def test_options_come_from_the_call_then_the_folder_then_the_built_in() -> None:
    model, words = speaker("gpt2")
    lm = LanguageModel(model, words, {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "num_beams": 4})
    options = lm.options(top_p=0.5, seed=1)
    assert (options.temperature, options.top_p, options.max_tokens) == (0.7, 0.5, 128)
    assert options.end_ids == (words.end_id,)
    assert lm.options(temperature=0).greedy
    assert lm.ignored == {"num_beams": 4}
    with pytest.raises(UsageError, match="Did you mean 'max_tokens'"):
        lm.generate("The cat", max_token=3)


def test_how_to_decode_is_kept_in_the_folder(tmp_path: Path) -> None:
    lm = LanguageModel(*speaker("gpt2"), {"do_sample": True, "temperature": 0.7, "eos_token_id": [3, 4]})
    lm.save(tmp_path)
    again = load(tmp_path)
    assert again.options(seed=1) == lm.options(seed=1)
    assert again.options().end_ids == [3, 4]
    assert hf.GenerationConfig.from_pretrained(tmp_path).temperature == 0.7


def test_scores_of_a_decoder_are_of_the_whole_text() -> None:
    lm = made("gpt2")
    near, far = lm.score("The cat", [" sat on the mat", " wrote"])
    ids = [lm.tokenizer.begin_id, *lm.tokenizer.encode("The cat sat on the mat")]
    logprobs = lm.logits(torch.tensor([ids]))[0].log_softmax(dim=-1)
    first = 1 + len(lm.tokenizer.encode("The cat"))
    expected = sum(float(logprobs[place - 1, ids[place]]) for place in range(first, len(ids)))
    assert near.logprob == pytest.approx(expected, abs=1e-3)
    assert near.tokens > far.tokens


def test_scores_of_an_encoder_decoder_are_of_its_answer() -> None:
    lm = made("t5")
    [found] = lm.score("The cat", ["sat"])
    assert found.tokens == len(lm.tokenizer.encode("sat"))


def test_masks_and_spans_are_filled() -> None:
    assert len(made("bert").fill_mask("The [MASK] sat.", top_k=3).masks[0]) == 3
    assert made("t5").fill_spans("The <extra_id_0> sat.", max_tokens=5).spans


@pytest.mark.parametrize("family", FAMILIES)
def test_embeddings_do_not_depend_on_the_batch(family: str) -> None:
    lm = made(family)
    together = lm.embed(["The cat", "Nobody knew where the river began"])
    assert together.shape == (2, lm.architecture.dim)
    torch.testing.assert_close(together[:1], lm.embed(["The cat"]), atol=1e-4, rtol=1e-4)


def test_precision_and_device_are_as_asked(tmp_path: Path) -> None:
    made("gpt2").save(tmp_path)
    lm = load(tmp_path, device="cpu", dtype="bfloat16")
    assert lm.model.tokens.weight.dtype == torch.bfloat16
    assert len(lm.generate("The cat", max_tokens=5).tokens) == 5
    with pytest.raises(UsageError, match=r"no dtype 'bfloat'\. Did you mean 'bfloat16'"):
        load(tmp_path, dtype="bfloat")
    with pytest.raises(UsageError, match="The device 'abacus' cannot be used"):
        load(tmp_path, device="abacus")


def test_folders_that_hold_no_model_say_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        load(tmp_path)
    (tmp_path / "checkpoint-20").mkdir()
    with pytest.raises(ModelError, match="has not finished"):
        load(tmp_path)
    made("gpt2").save(tmp_path / "whole")
    (tmp_path / "whole" / "tokenizer.json").unlink()
    with pytest.raises(DataError, match="no tokenizer"):
        load(tmp_path / "whole")
    made("gpt2").save(tmp_path / "cut")
    (tmp_path / "cut" / "generation_config.json").write_text('{"eos_token')
    with pytest.raises(ModelError, match="may be truncated"):
        load(tmp_path / "cut")


@pytest.mark.parametrize("reference", ["file", "folder"])
def test_a_gguf_file_is_a_model(reference: str, tmp_path: Path) -> None:
    lm = made("llama")
    write_gguf(tmp_path / "small.gguf", lm.model, lm.tokenizer, "f32")
    again = load(tmp_path / "small.gguf" if reference == "file" else tmp_path)
    assert (
        again.generate("The cat", max_tokens=8, temperature=0).tokens
        == lm.generate("The cat", max_tokens=8, temperature=0).tokens
    )
    assert load(str(tmp_path), dtype="bfloat16").model.tokens.weight.dtype == torch.bfloat16


def test_a_folder_of_several_gguf_files_asks_which_and_a_config_goes_first(tmp_path: Path) -> None:
    lm = made("gpt2")
    for name in ("one.gguf", "two.gguf"):
        write_gguf(tmp_path / name, lm.model, lm.tokenizer, "q8_0")
    with pytest.raises(UsageError, match=r"several models: one\.gguf, two\.gguf"):
        load(tmp_path)
    lm.save(tmp_path)
    ids = torch.tensor([[5, 6, 7]])
    assert torch.equal(load(tmp_path).logits(ids), lm.logits(ids))


def test_a_gguf_file_with_a_longer_vocabulary_than_table_is_refused(tmp_path: Path) -> None:
    lm = made("llama")
    words = tokenizer_metadata(lm.tokenizer, lm.architecture.vocab)
    words["tokenizer.ggml.tokens"].append("more")
    words["tokenizer.ggml.token_type"].append(1)
    save_gguf(tmp_path / "x.gguf", lm.model, "f32", words)
    with pytest.raises(ModelError, match="holds 301 tokens and a table of 300 rows"):
        load(tmp_path / "x.gguf")


def test_a_name_of_the_catalogue_is_a_model_and_a_folder_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made("gpt2").save(tmp_path / "fetched")
    monkeypatch.setattr(catalogue, "get", lambda name: tmp_path / "fetched" if name == "smollm2-135m" else 1 // 0)
    monkeypatch.chdir(tmp_path)
    assert load("smollm2-135m").architecture.family == "gpt2"
    made("llama").save(tmp_path / "smollm2-135m")
    assert load("smollm2-135m").architecture.family == "llama"
    with pytest.raises(UnavailableError):
        load("news")  # rows are no model


def test_a_text_begins_as_the_tokenizer_s_files_say(tmp_path: Path) -> None:
    made("gpt2").save(tmp_path)
    plain = load(tmp_path).generate("The cat", max_tokens=4, temperature=0)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"add_bos_token": False}))
    bare = load(tmp_path)
    assert prompt_ids(bare.tokenizer, "decoder", "The cat") == bare.tokenizer.encode("The cat")
    assert prompt_ids(bare.tokenizer, "decoder", "") == [bare.tokenizer.begin_id]
    assert bare.generate("The cat", max_tokens=4, temperature=0).tokens != plain.tokens


def test_a_folder_of_transformers_own_making(tmp_path: Path) -> None:
    """Its ids stand in config.json or generation_config.json; both are read."""
    lm = made("t5")
    lm.save(tmp_path)
    (tmp_path / "generation_config.json").unlink()
    assert load(tmp_path).options().end_ids == (lm.tokenizer.end_id,)
    assert load(tmp_path).start_id == json.loads((tmp_path / "config.json").read_text())["decoder_start_token_id"]


def test_importing_trivium_imports_no_torch() -> None:
    code = "import sys, trivium; print(trivium.__version__, 'torch' in sys.modules, trivium.load.__module__)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert shown == [trivium.__version__, "False", "trivium.language_model"]
    assert set(dir(trivium)) == set(trivium.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        trivium.nothing  # noqa: B018
