"""A tiny random model of each family, and a few examples of each form of task that has labels."""

from functools import cache

from tests.decode.tiny import speaker
from trivium.data.examples import Examples, Form, LabelledText, TextPair
from trivium.finetune.labels import labels_of
from trivium.finetune.prepared import Prepared
from trivium.finetune.registry import TASKS
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel

TEXTS = (
    "The old sailor walked down to the harbour.",
    "Nobody knew.",
    "She counted the boats twice, wrote the number in her book, and waited.",
    "Every morning the dog sat on the mat.",
    "The wind did not turn.",
)
EXAMPLES: dict[str, Examples] = {
    "classification": Examples(
        "classification", tuple(LabelledText(text, "bac"[n % 3]) for n, text in enumerate(TEXTS)), "tiny"
    ),
    "multi-label": Examples(
        "multi-label",
        tuple(LabelledText(text, (("a",), (), ("b", "a"))[n % 3]) for n, text in enumerate(TEXTS)),
        "tiny",
    ),
    "regression": Examples(
        "regression", tuple(LabelledText(text, n / 2 - 1.0) for n, text in enumerate(TEXTS)), "tiny"
    ),
}
PAIRS = Examples(
    "text-to-text",
    (
        TextPair(TEXTS[0], ("The sailor walked.",)),
        TextPair(TEXTS[1], ("No one knew it, and no two were alike.",)),
        TextPair(TEXTS[2], ("She waited.",)),
        TextPair(TEXTS[3], ("The sailor walked.",)),
    ),
    "pairs",
)


@cache
def body(family: str) -> LanguageModel:
    """A language model without a task head."""
    return LanguageModel(*speaker(family))


def opposites(count: int = 48) -> Examples:
    """A task that a tiny model learns: whether a text has the word "not"."""
    words = ("the", "cat", "dog", "sailor", "boats", "river", "mat", "book")
    made = []
    for n in range(count):
        picked = [words[(n * step + n // 3) % len(words)] for step in (1, 3, 5)]
        made.append(LabelledText(" ".join(["not", *picked] if n % 2 else picked), "no" if n % 2 else "yes"))
    return Examples("classification", tuple(made), "opposites")


def prepared(lm: LanguageModel, form: str, settings: FineTuneSettings | None = None) -> Prepared:
    """The tiny examples of a form as `lm` reads them."""
    examples = PAIRS if form == "embedding" else EXAMPLES[form]
    task: Form | str = form
    return TASKS[task](lm, examples, labels_of(examples), settings or FineTuneSettings())
