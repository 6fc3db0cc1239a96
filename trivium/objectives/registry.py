"""The objectives by name: the one place that lists them."""

__all__ = ["KINDS", "LABELLED", "OBJECTIVES", "check_kind", "objective"]

from collections.abc import Callable
from typing import Any

from trivium.errors import UsageError, nearest
from trivium.objectives.causal import Causal
from trivium.objectives.denoising import Denoising
from trivium.objectives.masked import Masked
from trivium.objectives.prefix import Prefix
from trivium.objectives.prefix_decoder import PrefixDecoder
from trivium.objectives.row import Objective
from trivium.objectives.sentence_pairs import SentencePairs
from trivium.objectives.span import Span
from trivium.objectives.ul2 import UL2
from trivium.objectives.vocabulary import Vocabulary

#: Each takes (vocabulary, length) and its own options by name; the first words of its docstring say what it is.
OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "causal": Causal.of,
    "masked": Masked.of,
    "next-sentence": SentencePairs.next_sentence,
    "sentence-order": SentencePairs.sentence_order,
    "span": Span.of,
    "denoising": Denoising.of,
    "prefix": Prefix.of,
    "prefix-decoder": PrefixDecoder.of,
    "ul2": UL2.of,
}
#: The kind of model that each of them trains.
KINDS: dict[str, str] = {
    "causal": "decoder",
    "masked": "encoder",
    "next-sentence": "encoder",
    "sentence-order": "encoder",
    "span": "encoder-decoder",
    "denoising": "encoder-decoder",
    "prefix": "encoder-decoder",
    "prefix-decoder": "decoder",
    "ul2": "encoder-decoder",
}
#: Those whose rows have labels: they train a task head beside the language model.
LABELLED = frozenset({"next-sentence", "sentence-order"})


def objective(name: str, vocabulary: Vocabulary, length: int, **options: Any) -> Objective:
    """The objective of this name over a tokenizer's ids.

    An unknown name raises `UsageError` with the nearest one, and so does an option that it does not have or cannot use.
    """
    make = OBJECTIVES[_known(name)]
    try:
        return make(vocabulary, length, **options)
    except TypeError as error:
        if not options:
            raise
        said = ", ".join(f"{key}: {value!r}" for key, value in options.items())
        raise UsageError(f"The objective '{name}' cannot be made with the options {said}: {error}.") from error


def check_kind(name: str, kind: str, family: str) -> None:
    """Raises `UsageError` where a family of this kind cannot be trained on the objective."""
    if KINDS[_known(name)] != kind:
        fitting = ", ".join(each for each, of in KINDS.items() if of == kind)
        raise UsageError(
            f"The objective '{name}' trains an {KINDS[name]}, and {family} is of the kind '{kind}', which "
            f"{fitting} train."
        )


def _known(name: str) -> str:
    if name not in OBJECTIVES:
        raise UsageError(
            f"There is no objective '{name}'; there are {', '.join(OBJECTIVES)}.{nearest(name, OBJECTIVES)}"
        )
    return name
