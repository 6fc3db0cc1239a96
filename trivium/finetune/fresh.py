"""A model that starts from nothing: it has no weight and no token but what its seed and the examples give it."""

__all__ = ["fresh_model"]

from collections.abc import Iterator

import torch

from trivium.data.examples import Conversation, Examples, LabelledText, Preference, Question, TaggedWords, TextPair
from trivium.families.registry import family_named
from trivium.finetune.fresh_settings import FreshSettings
from trivium.language_model import LanguageModel
from trivium.model import Transformer
from trivium.text.training import train_tokenizer


def fresh_model(settings: FreshSettings, examples: Examples, seed: int = 0) -> LanguageModel:
    """A new model over a tokenizer of the family's kind, trained on all texts of `examples`, answers too.

    Raises `DataError` where the texts do not support so large a vocabulary.
    """
    words = train_tokenizer(family_named(settings.family).tokenizer, _texts(examples), settings.vocabulary)
    architecture = settings.architecture(words.vocabulary)
    return LanguageModel(Transformer(architecture, torch.Generator().manual_seed(seed)).eval(), words)


def _texts(examples: Examples) -> Iterator[str]:
    for example in examples:
        match example:
            case TextPair():
                yield from (example.source, *example.targets)
            case LabelledText():
                yield from (example.text,) if isinstance(example.text, str) else example.text
            case TaggedWords():
                yield " ".join(example.words)
            case Question():
                yield from (example.question, example.context, *example.answers)
            case Conversation():
                yield from (content for _, content in example.turns)
            case Preference():
                yield from (*(content for _, content in example.turns), example.chosen, example.rejected)
