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

    @property
    def untaught(self) -> dict[str, int]:
        """Labels that are held out and of no example to train on, with their counts: all candidates are wrong there."""
        taught = set(self.train.labels)
        return {label: count for label, count in self.held_out.label_counts.items() if label not in taught}

    def __str__(self) -> str:
        said = f"{len(self.train):,} to train on, {len(self.choose):,} to choose by, {len(self.held_out):,} held out"
        if not self.untaught:
            return said
        return f"{said}, {sum(self.untaught.values()):,} of them with labels that no example teaches"

    def to_dict(self) -> dict[str, Any]:
        """What there is, without the examples."""
        return {
            "form": self.train.form,
            "train": len(self.train),
            "choose": len(self.choose),
            "held_out": len(self.held_out),
            "labels": self.train.label_counts,
            "untaught": self.untaught,
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

    `train_items` and `held_out_items` draw so many of a part that has more; what chooses keeps its share, and is only
    of labels that are taught. Examples of `test` whose input is also among `examples` stay where they are: it is the
    user's own split. Raises `DataError` where the two are of different forms, or no label that is held out is taught;
    `UsageError` for shares that leave a part empty.
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
    taught = set(train.labels)
    chosen = chosen.pick([place for place, example in enumerate(chosen) if taught.issuperset(example.labels)])
    if not chosen.examples or (taught and not taught & set(test.labels)):
        raise DataError(
            f"The labels that are held out of {examples.where}, or to choose by, are of no example to train on. They "
            f"are {', '.join(map(repr, test.labels[:8]))}; taught are {', '.join(map(repr, train.labels[:8]))}."
        )
    return Splits(train, chosen, test)
