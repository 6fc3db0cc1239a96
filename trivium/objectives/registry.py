"""The objectives by name: the one place that lists them."""

__all__ = ["OBJECTIVES", "objective"]

from collections.abc import Callable
from typing import Any

from trivium.errors import UsageError, nearest
from trivium.objectives.causal import Causal
from trivium.objectives.masked import Masked
from trivium.objectives.row import Objective
from trivium.objectives.span import Span
from trivium.objectives.vocabulary import Vocabulary

#: Each takes (vocabulary, length) and its own options by name; the first words of its docstring say what it is.
OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "causal": Causal.of,
    "masked": Masked.of,
    "span": Span.of,
}


def objective(name: str, vocabulary: Vocabulary, length: int, **options: Any) -> Objective:
    """The objective of this name over a tokenizer's ids. An unknown name raises `UsageError` with the nearest one."""
    if name not in OBJECTIVES:
        raise UsageError(
            f"There is no objective '{name}'; there are {', '.join(OBJECTIVES)}.{nearest(name, OBJECTIVES)}"
        )
    return OBJECTIVES[name](vocabulary, length, **options)
