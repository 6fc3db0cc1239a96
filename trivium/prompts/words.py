"""Label words: what a model is to say for each label. No torch."""

__all__ = ["LabelWords"]

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations

from trivium.errors import UsageError, nearest


@dataclass(frozen=True)
class LabelWords:
    """A word or a few for each label, in the order of the labels.

    Raises `UsageError` for a label without a word, and where a word is another's, or begins another: then the shorter
    one could never be the less probable of the two.
    """

    words: Mapping[str, str]

    def __post_init__(self) -> None:
        """Check the words."""
        if len(self.words) < 2:
            raise UsageError(f"There are words for {len(self.words)} labels: a choice is among two labels or more.")
        for label, word in self.words.items():
            if not word.strip():
                raise UsageError(f"The label '{label}' has no word: say what the model is to answer for it.")
            if word != word.strip():
                raise UsageError(
                    f"The word of '{label}' is {word!r}, with space around it: the space belongs into the template."
                )
        for (label, word), (other, longer) in permutations(self.words.items(), 2):
            if word == longer:
                raise UsageError(f"'{label}' and '{other}' have one word, '{word}': the model cannot tell them apart.")
            if longer.startswith(word):
                raise UsageError(
                    f"The word of '{label}', '{word}', begins that of '{other}', '{longer}', so it is never the less "
                    "probable one: choose words of which none begins another."
                )

    @classmethod
    def of(cls, labels: Iterable[str], words: Mapping[str, str] | None = None) -> "LabelWords":
        """The words of some labels; each its own where none are given.

        Raises `UsageError` for a label that has none, or a word for what is no label.
        """
        labels = list(labels)
        given = {label: label for label in labels} if words is None else dict(words)
        for name in given:
            if name not in labels:
                raise UsageError(
                    f"There is a word for '{name}', which is no label: the labels are {', '.join(labels)}."
                    f"{nearest(name, labels)}"
                )
        for label in labels:
            if label not in given:
                raise UsageError(f"The label '{label}' has no word: say what the model is to answer for it.")
        return cls({label: given[label] for label in labels})

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in order."""
        return tuple(self.words)

    def __str__(self) -> str:
        return ", ".join(label if label == word else f"{label}: {word}" for label, word in self.words.items())
