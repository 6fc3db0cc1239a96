"""What a tokenizer makes of a text, in four numbers."""

__all__ = ["Fertility", "fertility"]

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from trivium.errors import DataError
from trivium.text.tokenizer import Tokenizer

_BATCH_TEXTS = 256


@dataclass(frozen=True)
class Fertility:
    """Counts over a corpus and their ratios. A word is what stands between white space."""

    texts: int
    words: int
    bytes: int
    tokens: int
    unknown_tokens: int
    vocabulary: int
    vocabulary_used: int

    @property
    def tokens_per_word(self) -> float:
        """Fertility (Rust et al. 2021, section 3): how many pieces a word is cut into."""
        return self.tokens / max(1, self.words)

    @property
    def bytes_per_token(self) -> float:
        """UTF-8 bytes of text that a token stands for: it turns nats per token into bits per byte."""
        return self.bytes / max(1, self.tokens)

    @property
    def unknown_rate(self) -> float:
        """Share of tokens that are the unknown token."""
        return self.unknown_tokens / max(1, self.tokens)

    @property
    def vocabulary_used_share(self) -> float:
        """Share of the ids that the corpus uses at all; an unused id is a row of the embedding that never learns."""
        return self.vocabulary_used / self.vocabulary

    def to_dict(self) -> dict[str, Any]:
        """Counts and ratios."""
        ratios = ("tokens_per_word", "bytes_per_token", "unknown_rate", "vocabulary_used_share")
        return asdict(self) | {name: getattr(self, name) for name in ratios}

    def __str__(self) -> str:
        return (
            f"{self.texts:,} texts, {self.words:,} words, {self.tokens:,} tokens: "
            f"{self.tokens_per_word:.3f} tokens per word, {self.bytes_per_token:.2f} bytes per token, "
            f"{self.unknown_rate:.3%} unknown, {self.vocabulary_used:,} of {self.vocabulary:,} ids used"
        )


def fertility(tokenizer: Tokenizer, texts: Iterable[str]) -> Fertility:
    """Tokenize a corpus and count, in one pass. Raises `DataError` where there is no word in it."""
    counts = np.zeros(tokenizer.vocabulary, dtype=np.int64)
    number = words = size = 0
    stream = iter(texts)
    while batch := list(islice(stream, _BATCH_TEXTS)):
        for ids in tokenizer.encode_batch(batch):
            counts += np.bincount(np.asarray(ids, dtype=np.int64), minlength=tokenizer.vocabulary)
        number += len(batch)
        words += sum(len(text.split()) for text in batch)
        size += sum(len(text.encode()) for text in batch)
    if not words:
        raise DataError("There is no word in these texts, so a tokenizer's fertility on them means nothing.")
    unknown = int(counts[tokenizer.unknown_id]) if tokenizer.unknown_id is not None else 0
    return Fertility(
        texts=number,
        words=words,
        bytes=size,
        tokens=int(counts.sum()),
        unknown_tokens=unknown,
        vocabulary=tokenizer.vocabulary,
        vocabulary_used=int((counts > 0).sum()),
    )
