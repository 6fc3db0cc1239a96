"""Random models over a tiny tokenizer, and film reviews made up for tests."""

import functools

import torch

from tests.decode.tiny import tokenizer
from trivium.data.examples import Example, Examples, LabelledText
from trivium.families.registry import family_named
from trivium.language_model import LanguageModel
from trivium.model import Transformer
from trivium.prompts.prompt import Prompt
from trivium.prompts.template import Template
from trivium.prompts.words import LabelWords
from trivium.text.tokenizer import Kind

_KINDS: dict[str, Kind] = {"bert": "wordpiece", "gpt2": "bpe", "llama": "bpe", "t5": "unigram"}

GOOD = ("fine", "warm", "clever", "bright", "moving", "fresh")
BAD = ("dull", "cold", "stale", "flat", "loud", "empty")
REVIEW = "Review: {{ text }}\nSentiment: {{ label }}"


@functools.cache
def speaker(family: str = "gpt2", positions: int = 400) -> LanguageModel:
    """A random model whose logits spread over several nats."""
    words = tokenizer(_KINDS[family])
    made = family_named(family).preset(vocab=words.vocabulary, dim=24, depth=2, heads=2, positions=positions)
    model = Transformer(made, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3 if family != "t5" and parameter.dim() > 1 else 1)
    return LanguageModel(model, words)


def reviews(count: int, begin: str = "A") -> Examples:
    """Half of them good; no two alike."""
    made = [
        LabelledText(
            f"{begin} {(GOOD if number % 2 else BAD)[number // 2 % 6]} film, {number}", "good" if number % 2 else "bad"
        )
        for number in range(count)
    ]
    return Examples("classification", tuple(made), f"{count} reviews")


def review_prompt(template: str = REVIEW, instruction: str = "", **words: str) -> Prompt:
    """Of good and bad reviews."""
    return Prompt(Template(template), LabelWords.of(["bad", "good"], words or None), instruction)


def text_of(example: Example) -> str:
    """The text of a review."""
    assert isinstance(example, LabelledText)
    assert isinstance(example.text, str)
    return example.text
