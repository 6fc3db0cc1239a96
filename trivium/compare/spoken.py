"""A model that writes texts as a predictor of any form: it is asked in words, and what it writes is read."""

__all__ = ["SpokenPredictor"]

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from trivium.data.examples import Example, Examples, Form, TaggedWords
from trivium.evaluate.predictions import Described, Prediction, Predictor, Said
from trivium.finetune.text_to_text import as_text_pairs


@dataclass(frozen=True)
class SpokenPredictor:
    """Says of examples of `form` what `writer`, which makes texts of texts, writes of them.

    A label that is none counts as wrong (Raffel et al. 2020, section 2.4), and so does a number that is none: it is
    read as 0. Of tags, missing ones are empty and what is too much is left out.
    """

    writer: Predictor
    form: Form

    @property
    def forms(self) -> tuple[Form, ...]:
        """The one form."""
        return (self.form,)

    @property
    def how(self) -> Mapping[str, str]:
        """That of the writer."""
        return self.writer.how if isinstance(self.writer, Described) else {}

    def predict(self, examples: Examples) -> list[Prediction]:
        """What is written of each example, as its form has it."""
        examples.require(self.form, what="this model")
        written = self.writer.predict(as_text_pairs(examples))
        return [
            replace(prediction, said=self._read(str(prediction.said), example))
            for prediction, example in zip(written, examples, strict=True)
        ]

    def _read(self, text: str, example: Example) -> Said:
        match self.form:
            case "multi-label":
                return tuple(dict.fromkeys(label.strip() for label in text.split(",") if label.strip()))
            case "regression":
                return _number(text)
            case "tagging":
                assert isinstance(example, TaggedWords)
                tags, words = text.split(), len(example.words)
                return tuple((tags + [""] * words)[:words])
            case _:
                return text


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
