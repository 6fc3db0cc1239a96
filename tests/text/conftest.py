"""Real English to train small tokenizers on: the docstrings of the standard library, read from its sources."""

import ast
import sysconfig
from pathlib import Path

import pytest

from trivium.text.tokenizer import Tokenizer
from trivium.text.training import train_tokenizer

_VOCABULARY = {"bpe": 600, "bpe-mask": 600, "wordpiece": 700, "unigram": 700}


@pytest.fixture(scope="session")
def english() -> list[str]:
    texts = []
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:60]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and (text := ast.get_docstring(node)):
                texts.append(text)
    return texts


@pytest.fixture(scope="session")
def tokenizers(english: list[str]) -> dict[str, Tokenizer]:
    return {kind: train_tokenizer(kind, english, vocabulary) for kind, vocabulary in _VOCABULARY.items()}
