"""A tokenizer of each kind, trained on a page of text, and a tiny random model of each family over it."""

import functools

import torch

from trivium.families.registry import family_named
from trivium.model import Transformer
from trivium.text.tokenizer import Kind, Tokenizer
from trivium.text.training import train_tokenizer

TEXTS = [
    "The cat sat on the mat, and the dog did not. Every morning the old sailor walked down to the harbour.",
    "Naïve café: 日本語 text, and a 🙂 face.\n\nAn end; another line of words that were written for a small test.",
    "Nobody knew where the river began, but everyone in the village had a story about it, and no two were alike.",
    "She counted the boats twice, wrote the number in her book, and waited for the wind to turn to the north again.",
] * 3

_SIZES: dict[Kind, int] = {"bpe": 300, "wordpiece": 230, "unigram": 240}
_KINDS: dict[str, Kind] = {"bert": "wordpiece", "gpt2": "bpe", "llama": "bpe", "t5": "unigram"}


@functools.cache
def tokenizer(kind: Kind) -> Tokenizer:
    return train_tokenizer(kind, TEXTS, _SIZES[kind])


def speaker(family: str, seed: int = 0) -> tuple[Transformer, Tokenizer]:
    """A random model with something to say: its logits spread over several nats."""
    words = tokenizer(_KINDS[family])
    architecture = family_named(family).preset(vocab=words.vocabulary, dim=24, depth=2, heads=2, positions=64)
    model = Transformer(architecture, torch.Generator().manual_seed(seed)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4 if family != "t5" and parameter.dim() > 1 else 1)
    return model, words
