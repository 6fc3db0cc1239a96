"""A decoder and its tokenizer as one file: what llama.cpp does with it is what Trivium does."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from trivium.architecture import Architecture, LlamaScaling, Rotary
from trivium.errors import ModelError, UsageError
from trivium.families import bert, bloom, gpt2, llama
from trivium.model import Transformer
from trivium.text.gguf import write_gguf
from trivium.text.gguf_vocabulary import read_tokenizer
from trivium.text.tokenizer import Tokenizer
from trivium.weights.gguf import load_gguf
from trivium.weights.gguf_file import open_gguf

RUN = Path(__file__).with_name("run_llama_cpp.py")
TEXTS = ["Return the number 1234 of items.", "naïve  \n\n café's <|endoftext|> 你好\t½", " a"]
TOKENS = 16


def architecture(family: str, vocabulary: int) -> Architecture:
    if family == "gpt2":
        return gpt2.preset(vocab=vocabulary, dim=64, depth=2, heads=4, positions=64)
    if family == "bloom":
        return bloom.preset(vocab=vocabulary, dim=96, depth=2, heads=6, positions=64)
    # More rows than tokens, and shared key-value heads.
    return llama.preset(vocab=vocabulary + 3, dim=64, depth=2, heads=4, kv_heads=2, hidden=96, positions=64, tied=False)


def shaken(family: str, vocabulary: int) -> Transformer:
    model = Transformer(architecture(family, vocabulary)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def trained(family: str, words: Tokenizer, english: list[str]) -> tuple[Transformer, list[list[int]]]:
    """A model that knows a page by heart, and the first words of some of its lines: what it says is no close call."""
    ids = torch.tensor(words.encode(" ".join(english[:20]))[: 8 * 24]).view(8, 24)
    model = Transformer(architecture(family, words.vocabulary))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(80):
        logits = model(ids[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    return model.eval(), ids[:3, :6].tolist()


def greedy(model: Transformer, prompt: list[int]) -> list[int]:
    ids = list(prompt)
    with torch.inference_mode():
        for _ in range(TOKENS):
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize("family", ["gpt2", "llama", "bloom"])
def test_the_file_gives_model_and_tokenizer_back(family: str, tokenizers: dict[str, Tokenizer], tmp_path: Path) -> None:
    words = tokenizers["bpe"]
    words.chat_template = "{{ messages }}"
    try:
        write_gguf(tmp_path / "x.gguf", shaken(family, words.vocabulary), words, "f16")
    finally:
        words.chat_template = None
    file = open_gguf(tmp_path / "x.gguf")
    again = read_tokenizer(file.metadata, "x.gguf")
    assert again.chat_template == "{{ messages }}"
    assert again.vocabulary == words.vocabulary
    assert again.encode_batch(TEXTS) == words.encode_batch(TEXTS)
    assert [again.decode(ids) for ids in words.encode_batch(TEXTS)] == TEXTS
    ids = ("begin_id", "end_id", "pad_id", "unknown_id", "mask_id", "special_ids", "begins_texts")
    assert [getattr(again, name) for name in ids] == [getattr(words, name) for name in ids]
    assert load_gguf(file).architecture.vocab >= words.vocabulary


def test_what_cannot_be_written_says_why(tokenizers: dict[str, Tokenizer], tmp_path: Path) -> None:
    target = tmp_path / "x.gguf"
    with pytest.raises(ModelError, match="this tokenizer is wordpiece"):
        write_gguf(target, shaken("gpt2", 700), tokenizers["wordpiece"], "f16")
    with pytest.raises(ModelError, match="600 ids and the model 599 rows"):
        write_gguf(target, shaken("gpt2", 599), tokenizers["bpe"], "f16")
    with pytest.raises(UsageError, match="not as 'q4_0'"):
        write_gguf(target, shaken("gpt2", 600), tokenizers["bpe"], "q4_0")
    encoder = Transformer(bert.preset(vocab=700, dim=16, depth=1, heads=2, positions=16))
    with pytest.raises(UsageError, match="A bert cannot be written"):
        write_gguf(target, encoder, tokenizers["wordpiece"], "f16")
    assert not target.exists()


def run_llama_cpp(python: str, file: Path, texts: list[str], prompts: list[list[int]]) -> dict[str, Any]:
    job = {"file": str(file), "texts": texts, "prompts": prompts, "tokens": TOKENS}
    done = subprocess.run([python, str(RUN)], input=json.dumps(job), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["f16", "q8_0"])
@pytest.mark.parametrize("family", ["gpt2", "llama", "bloom"])
def test_llama_cpp_says_the_same_tokens(
    family: str,
    kind: str,
    tokenizers: dict[str, Tokenizer],
    english: list[str],
    tmp_path: Path,
    llama_python: str,
) -> None:
    words, file = tokenizers["bpe"], tmp_path / "x.gguf"
    model, prompts = trained(family, words, english)
    write_gguf(file, model, words, kind)
    theirs = run_llama_cpp(llama_python, file, TEXTS, prompts)
    assert theirs["ids"] == [[words.begin_id, *ids] for ids in words.encode_batch(TEXTS)]
    read = load_gguf(open_gguf(file))
    assert theirs["said"] == [greedy(read, prompt) for prompt in prompts]
    assert theirs["said"] == [greedy(model, prompt) for prompt in prompts]
    with torch.inference_mode():
        ours = read(torch.tensor([prompts[-1] + theirs["said"][-1]]))[0, -1]
    # llama.cpp rounds what it multiplies: GELU through a table of halves, and beside q8_0 the activations to 8 bits.
    bound = {"f16": 5e-3, "q8_0": 0.1}[kind]
    torch.testing.assert_close(torch.tensor(theirs["logits"][0]), ours, atol=bound, rtol=0)


@pytest.mark.slow
def test_llama_cpp_stretches_llama_3s_positions_alike(
    tokenizers: dict[str, Tokenizer], tmp_path: Path, llama_python: str
) -> None:
    words = tokenizers["bpe"]
    plain = architecture("llama", words.vocabulary)
    layer = plain.decoder.pattern[0]
    stretched = replace(layer, position=Rotary(100.0, LlamaScaling(8.0, 1.0, 4.0, 32)))
    model = Transformer(replace(plain, decoder=replace(plain.decoder, pattern=(stretched,)))).eval()
    file = tmp_path / "x.gguf"
    write_gguf(file, model, words, "f32")
    long = [list(range(20, 60))]
    theirs = run_llama_cpp(llama_python, file, [], long)
    assert theirs["said"] == [greedy(model, prompt) for prompt in long]
    with torch.inference_mode():
        ours = model(torch.tensor([long[0] + theirs["said"][0]]))[0, -1]
    torch.testing.assert_close(torch.tensor(theirs["logits"][0]), ours, atol=1e-3, rtol=0)
