"""A model that is prompted: shots come from the training split, and how choices are scored from the choose split."""

__all__ = ["KeptCalibration", "PromptSettings", "make_prompter", "parse_prompt_settings"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from trivium.compare.splits import Splits
from trivium.data.examples import Examples, Form, LabelledText
from trivium.errors import UsageError, nearest
from trivium.evaluate.predictions import Prediction, Predictor
from trivium.language_model import LanguageModel
from trivium.prompts.predictors import ChoicePrompter, TextPrompter, embedder, predictions
from trivium.prompts.prompt import Prompt
from trivium.prompts.reading import Reading
from trivium.prompts.shots import ORDERS, Shots
from trivium.prompts.template import Template
from trivium.prompts.ways import WAYS, Likelihoods
from trivium.prompts.words import LabelWords

#: Ways among which the choose split decides: each of another kind, so that luck chooses little.
_TRIED: Final = ("plain", "unconditional", "content-free", "in-domain")
_CHOSEN: Final = "chosen"
#: The choose split is read as far as this.
_CHOOSE_ITEMS: Final = 100


class PromptSettings(BaseModel):
    """How a candidate is prompted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: str | None = Field(None, description="Jinja, with the example's fields and its answer at the end.")
    instruction: str = Field("", description="What stands before all examples.")
    words: dict[str, str] | None = Field(None, description="What the model says for each label; the label itself.")
    style: Literal["text", "chat"] = Field("text", description="One running text, or turns of a conversation.")
    order: str | None = Field(None, description="Shots: random, balanced by label, or nearest. By what there is.")
    way: str = Field(_CHOSEN, description="How choices are scored; by the choose split.")
    max_tokens: int = Field(32, gt=0, description="Tokens of an answer in free text.")

    @field_validator("order")
    @classmethod
    def _known_order(cls, said: str | None) -> str | None:
        return said if said is None else _known(said, ORDERS)

    @field_validator("way")
    @classmethod
    def _known_way(cls, said: str) -> str:
        return _known(said, (_CHOSEN, *WAYS))


def _known(said: str, known: Sequence[str]) -> str:
    if said not in known:
        raise ValueError(f"it is one of {', '.join(known)}.{nearest(said, known)}")
    return said


@dataclass(frozen=True, eq=False)
class KeptCalibration:
    """Chooses as `prompter` does, but what its way compares with was read before, as one who serves it would.

    `kept` is a reading of any item after the same shots.
    """

    prompter: ChoicePrompter
    kept: Likelihoods

    @property
    def forms(self) -> tuple[Form, ...]:
        """That of the prompter."""
        return self.prompter.forms

    @property
    def how(self) -> Mapping[str, str]:
        """That of the prompter."""
        return self.prompter.how

    def predict(self, examples: Examples) -> list[Prediction]:
        """The best label of each example, with the probability of each among the choices."""
        reading = self.prompter.read(examples, ("plain",))
        likelihoods = replace(
            reading.likelihoods,
            unconditional=self.kept.unconditional,
            content_free=_for_each(self.kept.content_free, len(examples)),
            in_domain=_for_each(self.kept.in_domain, len(examples)),
        )
        return predictions(self.prompter.prompt, Reading(likelihoods, reading.built), self.prompter.way)


def _for_each(kept: Float[np.ndarray, "_ K C"] | None, items: int) -> Float[np.ndarray, "N K C"] | None:
    return None if kept is None else np.repeat(kept[:1], items, axis=0)


def parse_prompt_settings(values: Mapping[str, Any], where: str) -> PromptSettings:
    """Settings from plain data. Raises `UsageError` with each wrong one, and the nearest right name."""
    try:
        return PromptSettings.model_validate(dict(values))
    except ValidationError as error:
        raise UsageError(f"In '{where}': " + " ".join(_sentence(dict(each)) for each in error.errors())) from error


def make_prompter(
    lm: LanguageModel, shots: int, settings: PromptSettings, splits: Splits, seed: int
) -> tuple[Predictor, Mapping[str, str]]:
    """The predictor, and what was decided on the way.

    Raises `UsageError` where the form of the examples cannot be prompted for or the settings do not fit it.
    """
    train = splits.train
    first = train.examples[0]
    is_pair = isinstance(first, LabelledText) and isinstance(first.text, tuple)
    template = Template(settings.template) if settings.template else Template.default(train.form, is_pair)
    is_choice = train.form == "classification"
    words = LabelWords.of(train.labels, settings.words) if is_choice else None
    prompt = Prompt(template, words, settings.instruction, style=settings.style)
    shown = Shots(shots, settings.order or ("balanced" if is_choice else "random"))
    if not is_choice:
        return TextPrompter(lm, prompt, train, shown, seed, max_tokens=settings.max_tokens), {}
    embed = embedder(lm) if shown.order == "nearest" else None
    prompter = ChoicePrompter(lm, prompt, train, shown, "plain", seed, embed=embed)
    ways = _TRIED if settings.way == _CHOSEN else (settings.way,)
    asked = splits.choose.sample(_CHOOSE_ITEMS if len(ways) > 1 else 1, seed)
    reading = prompter.read(asked, ways)
    right = {way: _accuracy(asked, predictions(prompt, reading, way)) for way in ways}
    best = max(ways, key=lambda way: right[way])
    chosen = replace(prompter, way=best)
    said = ", ".join(f"{way} {right[way]:.3f}" for way in ways)
    how = {"choice by": f"{best}, on {len(asked)} items of the choose split: {said}"} if len(ways) > 1 else {}
    if shown.order == "nearest":  # other shots for every item: nothing to keep
        return chosen, how
    return KeptCalibration(chosen, reading.likelihoods), how


def _accuracy(examples: Examples, said: Sequence[Prediction]) -> float:
    pairs = zip(examples, said, strict=True)
    return float(np.mean([isinstance(each, LabelledText) and one.said == each.label for each, one in pairs]))


def _sentence(detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        return f"There is no setting '{name}' of a prompt.{nearest(name, PromptSettings.model_fields)}"
    return f"{name} is {detail['input']!r}: {str(detail['msg']).removeprefix('Input ').removeprefix('Value error, ')}"
