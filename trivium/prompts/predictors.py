"""Prompted models as predictors: they choose a label by likelihood, or answer in free text."""

__all__ = ["ChoicePrompter", "TextPrompter", "embedder", "predictions"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from trivium.data.examples import Example, Examples, Form
from trivium.decode.generate import generate
from trivium.decode.sampling import Sampling
from trivium.decode.score import Score
from trivium.errors import UsageError
from trivium.evaluate.identity import identity_of
from trivium.evaluate.predictions import Prediction
from trivium.language_model import LanguageModel
from trivium.prompts.prompt import Built, Prompt, build
from trivium.prompts.reading import Reading, read_choices
from trivium.prompts.shots import Embed, Shots, draw_shots
from trivium.prompts.template import ANSWERS, fields_of
from trivium.prompts.ways import check_way, log_probabilities, probabilities, scores


def embedder(lm: LanguageModel) -> Embed:
    """The vectors of texts by a model, of length 1, each text cut to what the model reads."""
    return lambda texts: lm.embed(list(texts), normalize=True, truncate=True).cpu().numpy()


@dataclass(frozen=True)
class ChoicePrompter:
    """Chooses among label words by their likelihood after the prompt.

    Shots and the texts of a calibration in the domain (`in_domain` of them) are drawn from `pool` by `seed`. With
    several `draws` (seed, seed + 1, ...) all are asked, and their mean log-probabilities decide.
    """

    lm: LanguageModel
    prompt: Prompt
    pool: Examples | None = None
    shots: Shots = field(default_factory=Shots)
    way: str = "plain"
    seed: int = 0
    draws: int = 1
    in_domain: int = 64
    embed: Embed | None = None
    told: Callable[[int, int], None] | None = None
    _read: dict[tuple[int, ...], list[Score]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the way."""
        check_way(self.way)

    @property
    def forms(self) -> tuple[Form, ...]:
        """One label of several."""
        return ("classification",)

    @property
    def how(self) -> Mapping[str, str]:
        """Template, words, shots and the way in which choices are scored."""
        said = {
            "weights": self._weights,
            "template": self.prompt.template.source,
            "instruction": self.prompt.instruction,
            "words": str(self.prompt.words),
            "style": self.prompt.style,
            "shots": f"{self.shots}, seed {self.seed}{_more(self.draws)}" if self.shots.count else "none",
            "choice by": self.way,
            "texts of the domain": str(self.in_domain) if self.way == "in-domain" else "",
        }
        return {name: text for name, text in said.items() if text}

    @cached_property
    def _weights(self) -> str:
        """So that kept predictions are never taken for those of other weights."""
        return identity_of(self.lm)[:16]

    def read(self, examples: Examples, ways: Sequence[str]) -> Reading:
        """The likelihoods of the choices, for several ways of scoring at once."""
        examples.require(*self.forms, what="a choice among labels")
        shown = draw_shots(self.shots, self.pool, examples, self.seed, self.embed)
        texts = self._in_domain(examples) if "in-domain" in ways else ()
        # Calibration of other shots for every example would not be asked for again.
        kept = None if self.shots.order == "nearest" and self.shots.count else self._read
        return read_choices(self.lm, self.prompt, examples, shown, ways, texts, told=self.told, remembered=kept)

    def _in_domain(self, asked: Examples) -> tuple[Example, ...]:
        """Texts of the pool that are not asked; their labels are not looked at."""
        if self.pool is None:
            raise UsageError("Calibration in the domain needs texts of it: give a pool of examples.")
        hidden = {str(fields_of(example)) for example in asked}
        order = np.random.default_rng(self.seed).permutation(len(self.pool)).tolist()
        left = [self.pool.examples[place] for place in order]
        return tuple([example for example in left if str(fields_of(example)) not in hidden][: self.in_domain])

    def predict(self, examples: Examples) -> list[Prediction]:
        """The best label of each example, with the probability of each among the choices."""
        if self.draws < 1:
            raise UsageError(f"draws is {self.draws}: shots are drawn once at least.")
        readings = [
            replace(self, seed=self.seed + draw, draws=1, _read=self._read).read(examples, (self.way,))
            for draw in range(self.draws)
        ]
        values = np.mean([log_probabilities(scores(each.likelihoods, self.way)) for each in readings], axis=0)
        return _predictions(self.prompt, readings[0], values)


def predictions(prompt: Prompt, reading: Reading, way: str) -> list[Prediction]:
    """What a reading says when it is scored in some way."""
    return _predictions(prompt, reading, scores(reading.likelihoods, way))


def _predictions(prompt: Prompt, reading: Reading, values: Float[np.ndarray, "N C"]) -> list[Prediction]:
    assert prompt.words is not None
    labels, shares = prompt.words.labels, probabilities(values)
    return [
        Prediction(labels[int(np.argmax(row))], dict(zip(labels, share.tolist(), strict=True)), built.text)
        for row, share, built in zip(values, shares, reading.built, strict=True)
    ]


@dataclass(frozen=True)
class TextPrompter:
    """Answers in free text, greedily unless `options` say otherwise, up to a stop string.

    Of the texts of a classification, what is said is a label where it is one of the label words, whole.
    """

    lm: LanguageModel
    prompt: Prompt
    pool: Examples | None = None
    shots: Shots = field(default_factory=Shots)
    seed: int = 0
    stop: tuple[str, ...] = ("\n",)
    max_tokens: int = 32
    options: Mapping[str, Any] = field(default_factory=dict)
    embed: Embed | None = None

    @property
    def forms(self) -> tuple[Form, ...]:
        """Whatever its template asks for."""
        return tuple(form for form, answer in ANSWERS.items() if answer == self.prompt.template.answer)

    @property
    def how(self) -> Mapping[str, str]:
        """Template, shots, and how the answer is decoded."""
        said = {
            "weights": self._weights,
            "template": self.prompt.template.source,
            "instruction": self.prompt.instruction,
            "style": self.prompt.style,
            "shots": f"{self.shots}, seed {self.seed}" if self.shots.count else "none",
            "decoding": str(self._decoding()),
        }
        return {name: text for name, text in said.items() if text}

    @cached_property
    def _weights(self) -> str:
        """So that kept predictions are never taken for those of other weights."""
        return identity_of(self.lm)[:16]

    def build(self, examples: Examples) -> list[Built]:
        """The prompts, each with its shots and with room for the answer."""
        examples.require(*self.forms, what="the template")
        shown = draw_shots(self.shots, self.pool, examples, self.seed, self.embed)
        built = []
        for example, shots in zip(examples, shown, strict=True):
            self.prompt.template.check(examples.form, example)
            built.append(build(self.lm, self.prompt, fields_of(example), shots, self.max_tokens))
        return built

    def predict(self, examples: Examples) -> list[Prediction]:
        """What the model says of each example, without white space around it."""
        built = self.build(examples)
        read = [list(one.ids) for one in built]
        said = generate(self.lm.model, self.lm.tokenizer, read, self._decoding(), self.lm.start_id)
        return [
            Prediction(self._label(one.text.strip()), input=asked.text) for one, asked in zip(said, built, strict=True)
        ]

    def _decoding(self) -> Sampling:
        return self.lm.options(
            **{
                "temperature": 0,
                "seed": 0,
                "max_tokens": self.max_tokens,
                **self.options,
                **({"stop": list(self.stop)} if self.stop else {}),
            }
        )

    def _label(self, said: str) -> str:
        words = {} if self.prompt.words is None else self.prompt.words.words
        return next((label for label, word in words.items() if word == said), said)


def _more(draws: int) -> str:
    return f" and {draws - 1} more, asked together" if draws > 1 else ""
