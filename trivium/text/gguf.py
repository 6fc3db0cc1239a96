"""A decoder and its tokenizer as one GGUF file, which llama.cpp and everything built on it runs."""

__all__ = ["write_gguf"]

from pathlib import Path

from trivium.model import Transformer
from trivium.text.gguf_vocabulary import tokenizer_metadata
from trivium.text.tokenizer import Tokenizer
from trivium.weights.gguf import check_gguf_family, save_gguf


def write_gguf(path: Path, model: Transformer, tokenizer: Tokenizer, kind: str) -> None:
    """Write the file whole or not at all; `kind` is "f32", "f16" or "q8_0" (see `save_gguf`).

    It holds the tokenizer with its chat template and whether a text starts with the begin token, so that llama.cpp
    reads a prompt as Trivium does. Raises `UsageError` for a family or kind that GGUF has not, `ModelError` for a
    tokenizer that llama.cpp does not run.
    """
    check_gguf_family(model.architecture.family)
    metadata = tokenizer_metadata(tokenizer, model.architecture.vocab)
    save_gguf(path, model, kind, metadata)
