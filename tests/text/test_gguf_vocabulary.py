"""Tokenizers of GGUF files: both kinds there and back, `transformers` reading the same file, and what does not fit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers as hf
import transformers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, trainers

from tests.text.test_gguf import TEXTS, run_llama_cpp, shaken
from trivium.errors import ModelError
from trivium.text.gguf import write_gguf
from trivium.text.gguf_vocabulary import read_tokenizer, tokenizer_metadata
from trivium.text.gguf_words import WORDS, name_of_words, words_named
from trivium.text.tokenizer import Tokenizer

ROLES = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}


@pytest.fixture(scope="module")
def pieces(english: list[str]) -> Tokenizer:
    """A small tokenizer as LLaMA's first: pieces with "▁" for a space, and bytes for what they cannot write."""
    first = [*ROLES.values(), *(f"<0x{byte:02X}>" for byte in range(256))]
    spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    trainee = hf.Tokenizer(models.BPE(unk_token="<unk>"))
    trainee.normalizer, trainee.pre_tokenizer = (
        normalizers.Sequence(spaces),
        pre_tokenizers.Split("▁", "merged_with_next"),
    )
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=first, limit_alphabet=60, show_progress=False)
    trainee.train_from_iterator(english[:200], trainer)
    found = json.loads(trainee.to_str())["model"]
    model = models.BPE(
        found["vocab"],
        [tuple(merge) for merge in found["merges"]],
        unk_token="<unk>",
        fuse_unk=True,
        byte_fallback=True,
    )
    raw = hf.Tokenizer(model)
    raw.normalizer = normalizers.Sequence(spaces)
    raw.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    raw.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in ROLES.values()])
    return Tokenizer(raw, ROLES)


def test_pieces_go_there_and_back(pieces: Tokenizer, english: list[str]) -> None:
    metadata = tokenizer_metadata(pieces, pieces.vocabulary)
    assert metadata["tokenizer.ggml.model"] == "llama"
    assert metadata["tokenizer.ggml.token_type"][:5] == [2, 3, 3, 6, 6]
    again = read_tokenizer(metadata, "x.gguf")
    assert again.encode_batch(english[:100]) == pieces.encode_batch(english[:100])
    assert again.encode_batch(TEXTS) == pieces.encode_batch(TEXTS)
    assert [again.decode(ids) for ids in pieces.encode_batch(TEXTS)] == TEXTS
    assert (again.begin_id, again.end_id, again.unknown_id, again.begins_texts) == (1, 2, 0, True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bpe", "pieces"])
def test_transformers_reads_the_same_file_alike(
    kind: str, pieces: Tokenizer, tokenizers: dict[str, Tokenizer], english: list[str], tmp_path: Path
) -> None:
    words = pieces if kind == "pieces" else tokenizers["bpe"]
    write_gguf(tmp_path / "x.gguf", shaken("llama", words.vocabulary), words, "f16")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path, gguf_file="x.gguf")
    for text in english[:100]:
        assert theirs(text, add_special_tokens=False)["input_ids"] == words.encode(text)


@pytest.mark.slow
def test_llama_cpp_reads_pieces_alike(pieces: Tokenizer, english: list[str], tmp_path: Path, llama_python: str) -> None:
    write_gguf(tmp_path / "x.gguf", shaken("llama", pieces.vocabulary), pieces, "f16")
    texts = [*english[:100], *TEXTS[:2]]
    ids = run_llama_cpp(llama_python, tmp_path / "x.gguf", texts, [])["ids"]
    assert ids == [[pieces.begin_id, *one] for one in pieces.encode_batch(texts)]


# ---- words ---------------------------------------------------------------------------------------------------------


def cut(name: str, text: str) -> list[str]:
    spelled = pre_tokenizers.ByteLevel.alphabet()
    parts = words_named(name).cut.pre_tokenize_str(text)
    assert set("".join(part for part, _ in parts)) <= set(spelled)
    return [text[start:end] for _, (start, end) in parts]


def test_words_are_cut_as_each_name_says() -> None:
    text = "It's 12345 things,\n\n  done"
    assert cut("gpt-2", text) == ["It", "'s", " 12345", " things", ",", "\n\n ", " done"]
    assert cut("smollm", text) == ["It", "'s", " ", "1", "2", "3", "4", "5", " things", ",", "\n\n ", " done"]
    assert cut("llama-bpe", text) == ["It", "'s", " ", "123", "45", " things", ",\n\n", " ", " done"]
    assert cut("qwen2", text) == ["It", "'s", " ", "1", "2", "3", "4", "5", " things", ",\n\n", " ", " done"]


def test_every_cut_has_one_name_and_an_unknown_one_is_refused() -> None:
    names = [name for words in WORDS for name in words.names]
    assert len(names) == len(set(names))
    for words in WORDS:
        description = json.loads(words.cut.__getstate__())
        assert name_of_words(description, words.whole) == words.names[0]
        assert name_of_words({"type": "Sequence", "pretokenizers": [description]}, words.whole) == words.names[0]
    with pytest.raises(ModelError, match="cuts words as 'klingon' does, which is not known"):
        words_named("klingon")
    with pytest.raises(ModelError, match=r"llama\.cpp has no name for"):
        name_of_words({"type": "Whitespace"}, False)
    with pytest.raises(ModelError, match=r"llama\.cpp has no name for"):
        name_of_words({"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}, False)


def test_user_defined_tokens_are_words_and_control_tokens_are_not(tokenizers: dict[str, Tokenizer]) -> None:
    metadata = tokenizer_metadata(tokenizers["bpe"], 602)
    metadata["tokenizer.ggml.tokens"][600:] = ["<think>", "<|end|>"]
    metadata["tokenizer.ggml.token_type"][600:] = [4, 3]
    words = read_tokenizer(metadata, "x.gguf")
    assert words.encode("<think>") == [600]
    assert 601 not in words.encode("<|end|>")
    assert words.encode_with_special("<|end|>") == [601]
    again = tokenizer_metadata(words, 602)
    assert again["tokenizer.ggml.token_type"][600:] == [4, 3]


# ---- what does not fit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.pop("model"), "'tokenizer.ggml.model'"),
        (lambda m: m.update(model="bert"), "of the kind 'bert', and 'gpt2' and 'llama' are read"),
        (lambda m: m.pop("tokens"), "'tokenizer.ggml.tokens'"),
        (lambda m: m["tokens"].append(3), "no list of str"),
        (lambda m: m["token_type"].pop(), "600 tokens and the types of 599"),
        (lambda m: m["merges"].append("nothing here"), "cannot be built"),
        (lambda m: m["merges"].append("alone"), "cannot be built"),
        (lambda m: m.update(pre="klingon"), "'klingon'"),
        (lambda m: m.update(eos_token_id=600), "'tokenizer.ggml.eos_token_id': 600, and 600 tokens"),
        (lambda m: m.update(add_bos_token="yes"), "'tokenizer.ggml.add_bos_token': 'yes', and needs bool"),
        (lambda m: m.update(model="llama"), "'tokenizer.ggml.scores'"),
        (lambda m: m.update(model="llama", scores=[0.5]), "the scores of 1"),
    ],
)
def test_lists_that_do_not_fit_are_refused(
    change: Callable[[dict[str, Any]], object], said: str, tokenizers: dict[str, Tokenizer]
) -> None:
    fields = {key.rpartition(".")[2]: value for key, value in tokenizer_metadata(tokenizers["bpe"], 600).items()}
    change(fields)
    with pytest.raises(ModelError, match=said):
        read_tokenizer({f"tokenizer.ggml.{key}": value for key, value in fields.items()}, "x.gguf")
