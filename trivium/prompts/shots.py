"""Which examples are shown before the one that is asked. No torch.

    random      any of them, by seed; the same for all that is asked
    balanced    equally many of each label, in an order by seed; the same for all that is asked
    nearest     those most like what is asked, the most like last (Liu et al. 2022, "What Makes Good In-Context
                Examples for GPT-3?"); other ones for everything that is asked

What is asked is never shown: examples of the pool with the same text are left out first.

Letters: P examples of the pool, N that are asked, D channels.
"""

__all__ = ["ORDERS", "Embed", "Shots", "draw_shots"]

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from trivium.data.examples import Example, Examples, LabelledText
from trivium.errors import UsageError, nearest
from trivium.prompts.template import fields_of

#: How shots can be chosen.
ORDERS: Final = ("random", "balanced", "nearest")

#: The vectors of texts, a row each, of length 1.
Embed = Callable[[Sequence[str]], Float[np.ndarray, "N D"]]


@dataclass(frozen=True)
class Shots:
    """How many examples are shown, and how they are chosen. Raises `UsageError` for what cannot be."""

    count: int = 0
    order: str = "balanced"

    def __post_init__(self) -> None:
        """Check the values."""
        if self.count < 0:
            raise UsageError(f"There cannot be {self.count} shots: give 0 or more.")
        if self.order not in ORDERS:
            raise UsageError(
                f"Shots cannot be chosen by '{self.order}': there are {', '.join(ORDERS)}.{nearest(self.order, ORDERS)}"
            )

    def __str__(self) -> str:
        return f"{self.count} {self.order}" if self.count else "none"


def draw_shots(
    shots: Shots, pool: Examples | None, asked: Examples, seed: int = 0, embed: Embed | None = None
) -> list[tuple[Example, ...]]:
    """The examples that are shown before each that is asked, in order of appearance.

    Raises `UsageError` where the pool has too few, where `balanced` has no labels to balance, and where `nearest` has
    nothing to embed with.
    """
    if shots.count == 0:
        return [()] * len(asked)
    if pool is None:
        raise UsageError(f"{shots.count} shots were asked for, and there are no examples to draw them from.")
    pool.require(asked.form, what=f"a prompt about {asked.where}")
    asked_texts = {_text(example) for example in asked}
    # In the order of the seed, so that leaving some out changes nothing about the others.
    order = np.random.default_rng(seed).permutation(len(pool)).tolist()
    left = [pool.examples[place] for place in order if _text(pool.examples[place]) not in asked_texts]
    if shots.count > len(left):
        away = f", {len(pool) - len(left):,} of which are asked and so not shown" if len(left) < len(pool) else ""
        raise UsageError(
            f"{shots.count:,} shots are too many: {pool.where} has {len(pool):,} examples{away}. Ask for fewer."
        )
    if shots.order == "nearest":
        return _nearest(shots.count, left, list(asked), embed)
    drawn = left[: shots.count] if shots.order == "random" else _balanced(shots.count, left, seed, pool.where)
    return [tuple(drawn)] * len(asked)


def _balanced(count: int, pool: Sequence[Example], seed: int, where: str) -> list[Example]:
    """Equally many of each label; which labels get one more where they do not divide is drawn, and so is the order."""
    of_label: dict[str, list[Example]] = defaultdict(list)
    for example in pool:
        if not isinstance(example, LabelledText) or not isinstance(example.label, str):
            raise UsageError(f"The examples of {where} have no labels to balance: draw shots at random.")
        of_label[example.label].append(example)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(sorted(of_label)).tolist()
    drawn: list[Example] = []
    for number, label in enumerate(labels):
        wanted = count // len(labels) + (number < count % len(labels))
        if wanted > len(of_label[label]):
            raise UsageError(
                f"{count:,} balanced shots are too many: {where} has {len(of_label[label]):,} of '{label}', and "
                f"{wanted:,} are needed. Ask for fewer, or draw them at random."
            )
        drawn += of_label[label][:wanted]
    return [drawn[place] for place in rng.permutation(len(drawn))]


def _nearest(
    count: int, pool: Sequence[Example], asked: Sequence[Example], embed: Embed | None
) -> list[tuple[Example, ...]]:
    if embed is None:
        raise UsageError("The nearest examples are found by vectors of texts: give a model that embeds.")
    known, queries = embed([_text(example) for example in pool]), embed([_text(example) for example in asked])
    shown = []
    for query in queries:
        likeness = known @ query
        best = np.argsort(-likeness, kind="stable")[:count]
        shown.append(tuple(pool[place] for place in best[::-1]))
    return shown


def _text(example: Example) -> str:
    return "\n".join(fields_of(example).values())
