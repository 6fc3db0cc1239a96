"""The same examples for every candidate: to train on, to choose by, and held out. No torch.

What is held out is seen by none before it is scored. `choose` is for decisions on the way: when to stop training,
which checkpoint to keep, which prompt. A seed decides which example goes where.
"""

__all__ = ["Splits", "make_splits"]

from dataclasses import dataclass
from typing import Any, Final

from trivium.data.examples import Examples
from trivium.errors import DataError

#: Fewer would choose by luck.
_FEWEST_TO_CHOOSE: Final = 100


@dataclass(frozen=True)
class Splits:
    """Examples of one form in three parts that share none."""

    train: Examples
    choose: Examples
    held_out: Examples

    @property
    def fingerprint(self) -> str:
        """Equal for equal splits."""
        return "-".join(part.fingerprint[:16] for part in (self.train, self.choose, self.held_out))

    def __str__(self) -> str:
        return f"{len(self.train):,} to train on, {len(self.choose):,} to choose by, {len(self.held_out):,} held out"

    def to_dict(self) -> dict[str, Any]:
        """What there is, without the examples."""
        return {
            "form": self.train.form,
            "train": len(self.train),
            "choose": len(self.choose),
            "held_out": len(self.held_out),
            "labels": self.train.label_counts,
        }


def make_splits(
    examples: Examples,
    *,
    held_out: float = 0.2,
    choose: float = 0.1,
    seed: int = 0,
    test: Examples | None = None,
    train_items: int | None = None,
    held_out_items: int | None = None,
) -> Splits:
    """Splits by share and seed; with `test`, those are held out and `examples` are for the rest.

    `train_items` and `held_out_items` draw so many of a part that has more; what chooses keeps its share. Examples of
    `test` whose input is also among `examples` stay where they are: it is the user's own split. Raises `DataError`
    where the two are of different forms, or a label that is held out is nowhere taught; `UsageError` for shares that
    leave a part empty.
    """
    if test is None:
        examples, test = examples.split(held_out, seed)
    else:
        test.require(examples.form, what="a comparison on what is taught")
    train, chosen = examples.split(choose, seed + 1)
    if train_items is not None:
        train = train.sample(train_items, seed)
        chosen = chosen.sample(max(_FEWEST_TO_CHOOSE, round(len(train) * choose / (1 - choose))), seed)
    if held_out_items is not None:
        test = test.sample(held_out_items, seed)
    untaught = sorted(set(test.labels) - set(train.labels))
    if untaught and train.form in ("classification", "multi-label"):
        raise DataError(
            f"{len(untaught):,} of the labels that are held out of {examples.where} are of no example to train on: "
            f"{', '.join(map(repr, untaught[:8]))}. Give more examples of them, or leave them out."
        )
    return Splits(train, chosen, test)
