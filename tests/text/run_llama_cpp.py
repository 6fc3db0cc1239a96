"""Run by a Python that has llama-cpp-python: read a job on stdin, print what llama.cpp does as JSON.

    {"file": "x.gguf", "texts": [...], "prompts": [[ids], ...], "tokens": 16}

Gives the ids of the texts, with the begin token where the file says so, and the greedy continuations of the prompts.
"""

import importlib
import json
import sys
from typing import Any

#: No dependency of Trivium: another Python may have it.
llama_cpp = importlib.import_module("llama_cpp")


def greedy(model: Any, prompt: list[int], tokens: int) -> list[int]:
    """The most probable token, again and again; no end token ends it."""
    model.reset()
    model.eval(prompt)
    said: list[int] = []
    for _ in range(tokens):
        said.append(max(range(model.n_vocab()), key=model._scores[-1].__getitem__))
        model.eval(said[-1:])
    return said


def main() -> None:
    job = json.load(sys.stdin)
    model = llama_cpp.Llama(job["file"], n_ctx=64, n_threads=1, n_threads_batch=1, logits_all=True, verbose=False)
    begins = model.metadata["tokenizer.ggml.add_bos_token"] == "true"
    texts = [model.tokenize(text.encode(), add_bos=begins, special=False) for text in job["texts"]]
    said = [greedy(model, prompt, job["tokens"]) for prompt in job["prompts"]]
    json.dump({"ids": texts, "said": said, "logits": model._scores[-1:].tolist()}, sys.stdout)


if __name__ == "__main__":
    main()
