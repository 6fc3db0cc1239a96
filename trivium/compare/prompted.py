"""A model that is prompted: shots come from the training split, and how choices are scored from the choose split."""

__all__ = ["KeptCalibration", "make_prompter"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float

from trivium.compare.prompt_settings import CHOSEN, PromptSettings
from trivium.compare.splits import Splits
from trivium.data.examples import Examples, Form, LabelledText
from trivium.evaluate.predictions import Prediction, Predictor
from trivium.language_model import LanguageModel
from trivium.prompts.predictors import ChoicePrompter, TextPrompter, embedder, predictions
from trivium.prompts.prompt import Prompt
from trivium.prompts.reading import Reading
from trivium.prompts.shots import Shots
from trivium.prompts.template import Template
from trivium.prompts.ways import Likelihoods
from trivium.prompts.words import LabelWords

#: Ways among which the choose split decides: each of another kind, so that luck chooses little.
_TRIED: Final = ("plain", "unconditional", "content-free", "in-domain")
#: The choose split is read as far as this.
_CHOOSE_ITEMS: Final = 100


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
    ways = _TRIED if settings.way == CHOSEN else (settings.way,)
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
