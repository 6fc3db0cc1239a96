"""A small tokenizer."""

import pytest

from trivium.text.tokenizer import Tokenizer
from trivium.text.training import train_tokenizer


@pytest.fixture(scope="session")
def bpe() -> Tokenizer:
    return train_tokenizer("bpe", ["the quick brown fox jumps over the lazy dog, and the fox is quick. " * 20], 280)
