"""Whether the choices lean to one label, as prompted models do (Zhao et al. 2021, section 3). No torch."""

__all__ = ["Lean"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

#: A lean is said where a share differs by so much from the share that is right, ...
_POINTS: Final = 0.1
#: ... and by so many standard errors.
_ERRORS: Final = 3.0


@dataclass(frozen=True)
class Lean:
    """How often each label is said, beside how often it is right."""

    said: dict[str, float]
    right: dict[str, float]
    items: int

    @classmethod
    def of(cls, said: Sequence[str], right: Sequence[str], labels: Sequence[str]) -> "Lean":
        """Of what is said of some items, in order, and what is right."""
        shares = [
            {label: counts[label] / max(1, len(said)) for label in labels} for counts in (Counter(said), Counter(right))
        ]
        return cls(shares[0], shares[1], len(said))

    @property
    def to(self) -> str | None:
        """The label that is said too often: by more than 10 points and 3 standard errors; None where none is."""
        over = {label: share - self.right[label] for label, share in self.said.items()}
        label = max(over, key=lambda each: over[each], default=None)
        if label is None:
            return None
        error = sqrt(max(self.right[label] * (1 - self.right[label]), 1 / max(1, self.items)) / max(1, self.items))
        return label if over[label] > max(_POINTS, _ERRORS * error) else None

    def __str__(self) -> str:
        shares = ", ".join(f"{label} {share:.0%} (right {self.right[label]:.0%})" for label, share in self.said.items())
        return shares if self.to is None else f"{shares}: leans to {self.to}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"said": self.said, "right": self.right, "leans_to": self.to}
