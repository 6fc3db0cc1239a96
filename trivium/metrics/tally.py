"""How often each label is right: where it stands, where it is said, and where both. No torch.

    precision = both / said        recall = both / there        F1 = 2 both / (there + said)

Micro figures add all labels up first. The macro F1 is the mean over labels that stand or are said somewhere, as
scikit-learn has it; so in each resample, too. What is 0 / 0 counts 0.

Letters: S resamples, N items, L labels, C = 3L counts of an item.
"""

__all__ = ["LabelScore", "Tally"]

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Real

from trivium.metrics.bootstrap import Sums

#: From what is there, said and both, of every label in each resample, to the figure of each.
_OfSides = Callable[
    [Float[np.ndarray, "S L"], Float[np.ndarray, "S L"], Float[np.ndarray, "S L"]], Float[np.ndarray, "S"]
]


@dataclass(frozen=True)
class LabelScore:
    """One label: how often it stands in the data and is said, and how well the two agree."""

    label: str
    precision: float
    recall: float
    f1: float
    there: int
    said: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Tally:
    """For each item how often each label stands in it, is said of it, and both: `counts` side by side."""

    labels: tuple[str, ...]
    counts: Float[np.ndarray, "N C"]

    @classmethod
    def of(cls, there: Sequence[Counter[str]], said: Sequence[Counter[str]], both: Sequence[Counter[str]]) -> "Tally":
        """Of three counters for each item."""
        labels = tuple(sorted(set().union(*there, *said)))
        number = {label: place for place, label in enumerate(labels)}
        counts = np.zeros((len(there), 3 * len(labels)))
        for side, items in enumerate((there, said, both)):
            for row, counter in enumerate(items):
                for label, times in counter.items():
                    counts[row, side * len(labels) + number[label]] = times
        return cls(labels, counts)

    @classmethod
    def of_sets(cls, truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> "Tally":
        """Of the labels of each item: one, several different ones, or none."""
        sides = [Counter(labels) for labels in truth], [Counter(labels) for labels in said]
        return cls.of(*sides, [a & b for a, b in zip(*sides, strict=True)])

    @classmethod
    def of_sequences(cls, truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> "Tally":
        """Of items that are sequences of labels, each compared place by place."""
        both = [
            Counter(a for a, b in zip(one, other, strict=True) if a == b)
            for one, other in zip(truth, said, strict=True)
        ]
        return cls.of([Counter(labels) for labels in truth], [Counter(labels) for labels in said], both)

    def accuracy(self) -> Sums:
        """The share of labels of the data that are said where they stand."""
        return self._sums(lambda there, _, both: _ratio(both.sum(axis=1), there.sum(axis=1)))

    def precision(self) -> Sums:
        """Micro: the share of what is said that is right."""
        return self._sums(lambda _, said, both: _ratio(both.sum(axis=1), said.sum(axis=1)))

    def recall(self) -> Sums:
        """Micro: the share of what is there that is found."""
        return self.accuracy()

    def micro_f1(self) -> Sums:
        """F1 of all labels added up."""
        return self._sums(lambda there, said, both: _ratio(2 * both.sum(axis=1), (there + said).sum(axis=1)))

    def macro_f1(self) -> Sums:
        """The mean F1 of the labels that stand or are said."""
        return self._sums(
            lambda there, said, both: _ratio(_ratio(2 * both, there + said).sum(axis=1), (there + said > 0).sum(axis=1))
        )

    def mcc(self) -> Sums:
        """Matthews' correlation coefficient of one label an item (Gorodkin 2004); 0 where either side has one label.

            (c N - sum_k t_k p_k) / sqrt((N² - sum_k p_k²) (N² - sum_k t_k²))

        with c right, t_k items of label k, and p_k items that are said to be.
        """

        def of(
            there: Float[np.ndarray, "S L"], said: Float[np.ndarray, "S L"], both: Float[np.ndarray, "S L"]
        ) -> Float[np.ndarray, "S"]:
            total = there.sum(axis=1)
            above = both.sum(axis=1) * total - (there * said).sum(axis=1)
            spread = [np.maximum(total**2 - (side**2).sum(axis=1), 0) for side in (said, there)]
            return _ratio(above, np.sqrt(spread[0] * spread[1]))

        return self._sums(of)

    def rows(self) -> tuple[LabelScore, ...]:
        """Every label with its own scores, in alphabetical order."""
        there, said, both = np.split(self.counts.sum(axis=0), 3)
        scores = np.stack([_ratio(both, said), _ratio(both, there), _ratio(2 * both, there + said)], axis=1).tolist()
        return tuple(
            LabelScore(label, precision, recall, f1, int(there[k]), int(said[k]))
            for k, (label, (precision, recall, f1)) in enumerate(zip(self.labels, scores, strict=True))
        )

    def _sums(self, of: _OfSides) -> Sums:
        return Sums(self.counts, lambda sums: of(*np.split(sums, 3, axis=1)))


def _ratio(above: Float[np.ndarray, "..."], below: Real[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """`above / below`, 0 where both are."""
    return np.asarray(np.divide(above, below, out=np.zeros_like(above, dtype=float), where=below > 0))
