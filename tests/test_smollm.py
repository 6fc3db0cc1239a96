"""A real model, read from real GGUF of 4 bits: SmolLM2-135M-Instruct as `transformers` and llama.cpp read the file."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from tests.text.test_gguf import run_llama_cpp
from trivium.data import catalogue
from trivium.errors import UnavailableError
from trivium.language_model import LanguageModel, load
from trivium.text.chat import chat_ids

pytestmark = pytest.mark.slow

NAME = "smollm2-135m"
PROMPTS = ["The capital of France is", "Once upon a time, there was a", "Water boils at", "def add(a, b):\n"]
TALKS = [
    [{"role": "user", "content": "What is the capital of France?"}],
    [{"role": "system", "content": "You answer in one word."}, {"role": "user", "content": "What colour is snow?"}],
    [
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": "Hello Ada!"},
        {"role": "user", "content": "What is my name?"},
    ],
]


@pytest.fixture(scope="module")
def file() -> Path:
    try:
        return next(catalogue.get(NAME).glob("*.gguf"))
    except UnavailableError as error:
        pytest.skip(f"SmolLM2 cannot be had: {error}")


@pytest.fixture(scope="module")
def lm(file: Path) -> LanguageModel:
    return load(NAME, device="cpu")


@pytest.fixture(scope="module")
def theirs(file: Path) -> Any:
    return hf.AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def words(file: Path) -> Any:
    return hf.AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)


def test_the_architecture_is_the_published_one(lm: LanguageModel) -> None:
    assert lm.architecture.parameters == 134_515_008
    stack = lm.architecture.decoder
    assert (stack.depth, lm.architecture.dim, stack.trained_length, lm.architecture.vocab) == (30, 576, 8192, 49_152)
    assert lm.model.tokens.weight.dtype == torch.float32


def test_the_logits_are_those_of_transformers(lm: LanguageModel, theirs: Any, words: Any) -> None:
    for prompt in PROMPTS:
        ids = words(prompt, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            expected = theirs(ids).logits
        torch.testing.assert_close(lm.logits(ids), expected, atol=1e-3, rtol=0)


def test_the_greedy_text_is_that_of_transformers(lm: LanguageModel, theirs: Any, words: Any) -> None:
    for prompt in PROMPTS:
        ids = words(prompt, return_tensors="pt")
        said = theirs.generate(**ids, max_new_tokens=12, do_sample=False, pad_token_id=0)[0]
        expected = words.decode(said[ids["input_ids"].shape[1] :], skip_special_tokens=True)
        assert lm.generate(prompt, max_tokens=12, temperature=0).text == expected


def test_it_chats_by_its_own_template_as_transformers_does(lm: LanguageModel, theirs: Any, words: Any) -> None:
    for talk in TALKS:
        ids = words.apply_chat_template(talk, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        said = theirs.generate(**ids, max_new_tokens=12, do_sample=False, pad_token_id=0)[0]
        expected = words.decode(said[ids["input_ids"].shape[1] :], skip_special_tokens=True)
        assert lm.chat(talk, max_tokens=12, temperature=0).text == expected
    assert "Paris" in lm.chat(TALKS[0], max_tokens=12, temperature=0).text


def test_llama_cpp_cuts_texts_alike_digits_too(lm: LanguageModel, file: Path, llama_python: str) -> None:
    """Of digits `transformers` knows less: it leaves out that this tokenizer cuts them one by one."""
    texts = [*PROMPTS, "In 1999, 3.14 and ½ or ٣", "naïve  \n\n café's <|im_end|> 你好\t"]
    assert run_llama_cpp(llama_python, file, texts, [])["ids"] == lm.tokenizer.encode_batch(texts)


def test_saved_as_a_folder_it_is_the_same_model(lm: LanguageModel, tmp_path: Path) -> None:
    lm.save(tmp_path)
    again = load(tmp_path, device="cpu")
    said = [one.chat(TALKS[0], max_tokens=5, temperature=0).tokens for one in (again, lm)]
    assert said[0] == said[1]
    assert again.tokenizer.chat_template == lm.tokenizer.chat_template
    theirs = hf.AutoTokenizer.from_pretrained(tmp_path)
    ids = theirs.apply_chat_template(TALKS[1], add_generation_prompt=True)["input_ids"]
    assert theirs("In 1999")["input_ids"] == lm.tokenizer.encode("In 1999")
    assert chat_ids(lm.tokenizer, TALKS[1]) == list(ids)
