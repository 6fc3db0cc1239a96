"""What is said of an example, and who says it: a model with a head, a prompt, a baseline. No torch.

    form             said                             scores
    classification   the label                        of every label
    multi-label      the labels                       of every label
    regression       the number
    tagging          a tag for each word
    extraction       the answer; "" where there is none
    text-to-text     the text

A predictor is anything with `forms` and `predict`; one that also has `how` says with what template, normalisation or
options it asks, and an evaluation prints that beside its scores.
"""

__all__ = ["Described", "Prediction", "Predictor", "Said"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, runtime_checkable

from trivium.data.examples import Examples, Form

#: A label, an answer or a text; labels or tags; a number.
Said = str | tuple[str, ...] | float


@dataclass(frozen=True)
class Prediction:
    """What is said of one example, the scores of every label where there are any, and the whole text that was read.

    `input` is that text as the model got it (the prompt with its shots); "" where it is the example's own.
    """

    said: Said
    scores: Mapping[str, float] = field(default_factory=dict)
    input: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@runtime_checkable
class Predictor(Protocol):
    """Says something of every example of the forms that it knows."""

    @property
    def forms(self) -> tuple[Form, ...]:
        """What it can be asked for."""

    def predict(self, examples: Examples) -> list[Prediction]:
        """A prediction for each example, in their order."""


@runtime_checkable
class Described(Predictor, Protocol):
    """A predictor that says how it asks."""

    @property
    def how(self) -> Mapping[str, str]:
        """By its name, each thing that changes the scores: template, shots, normalisation, options of decoding."""
