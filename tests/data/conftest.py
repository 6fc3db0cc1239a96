"""Data of the catalogue for tests, and a small tokenizer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from trivium.data import catalogue
from trivium.errors import UnavailableError
from trivium.text.tokenizer import Tokenizer
from trivium.text.training import train_tokenizer


@pytest.fixture(scope="session")
def entry() -> Callable[[str], Path]:
    """The folder of an entry of the catalogue, in the user's own cache; a test that cannot have it is skipped."""

    def folder(name: str) -> Path:
        try:
            return catalogue.get(name)
        except UnavailableError as error:
            pytest.skip(f"the catalogue's '{name}' is not to be had here: {error}")

    return folder


@pytest.fixture(scope="session")
def bpe() -> Tokenizer:
    return train_tokenizer("bpe", ["the quick brown fox jumps over the lazy dog, and the fox is quick. " * 20], 280)
