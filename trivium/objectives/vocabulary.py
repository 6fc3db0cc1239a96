"""What an objective needs to know of a vocabulary: which ids it may insert and which it must leave alone.

Letters: V ids of the vocabulary.
"""

__all__ = ["Vocabulary", "required"]

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from trivium.errors import UsageError


@runtime_checkable
class Vocabulary(Protocol):
    """The special ids of a tokenizer; every `Tokenizer` is one. None says that it has no such token."""

    @property
    def vocabulary(self) -> int:
        """How many ids there are."""
        ...

    @property
    def pad_id(self) -> int | None:
        """Fills a row."""
        ...

    @property
    def begin_id(self) -> int | None:
        """Opens a text: BERT's [CLS], a decoder's start token."""
        ...

    @property
    def end_id(self) -> int | None:
        """Closes a text: BERT's [SEP], a decoder's and T5's end token."""
        ...

    @property
    def mask_id(self) -> int | None:
        """Stands for a hidden token."""
        ...

    @property
    def sentinel_ids(self) -> Sequence[int]:
        """T5's markers of hidden spans, in the order of their use."""
        ...

    @property
    def special_ids(self) -> frozenset[int]:
        """All ids that stand for no text."""
        ...

    @property
    def word_starts(self) -> Bool[np.ndarray, "V"]:
        """Which ids begin a word."""
        ...

    @property
    def sentence_ends(self) -> Bool[np.ndarray, "V"]:
        """Which ids end a sentence."""
        ...


def required(token: int | None, name: str, objective: str) -> int:
    """The id of a special token, or a `UsageError` that says which objective misses which token."""
    if token is None:
        raise UsageError(
            f"The objective '{objective}' needs {name}, and the tokenizer has none. Use a tokenizer of a kind that has "
            "it (wordpiece for masked, bpe for causal, unigram for span), or another objective."
        )
    return token
