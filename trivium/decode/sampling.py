"""The options of decoding: their ranges, where their values come from, and the rules that they mean."""

__all__ = ["BUILT_IN", "Sampling", "unsupported"]

import dataclasses
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trivium.decode.draw import SEEDS
from trivium.decode.rules import LogitsRule, MinLength, MinP, NoRepeatNgram, RepetitionPenalty, Temperature, TopK, TopP
from trivium.errors import UsageError, nearest

_Number = float | int


@dataclass(frozen=True)
class _Range:
    """What an option may be, and what the ends of its range mean."""

    least: int
    most: float | int = math.inf
    meaning: str = ""
    whole: bool = False
    above: bool = False

    def check(self, name: str, value: Any) -> None:
        if value is None or (self._is_number(value) and self._holds(value)):
            return
        kind = "a whole number" if self.whole else "a number"
        if self.most == math.inf:
            span = f"above {self.least}" if self.above else f"of at least {self.least}"
        else:
            span = f"from {self.least} to {self.most}"
        raise UsageError(f"{name} is {value!r}, but must be {kind} {span}{self.meaning and f': {self.meaning}'}.")

    def _is_number(self, value: object) -> bool:
        return isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)

    def _holds(self, value: _Number) -> bool:
        inside = math.isfinite(value) and self.least <= value <= self.most
        return inside and not (self.above and value == self.least)


_RANGES = {
    "max_tokens": _Range(1, whole=True),
    "min_tokens": _Range(0, whole=True),
    "temperature": _Range(0, meaning="0 is greedy, 1 keeps the model's probabilities"),
    "top_k": _Range(0, whole=True, meaning="0 keeps every token"),
    "top_p": _Range(0, 1, meaning="1 keeps every token, 0 the best alone"),
    "min_p": _Range(0, 1, meaning="0 keeps every token, 1 the best alone"),
    "repetition_penalty": _Range(0, above=True, meaning="1 is no penalty"),
    "no_repeat_ngram": _Range(0, whole=True, meaning="0 allows repetition"),
    "seed": _Range(0, SEEDS - 1, whole=True),
}


@dataclass(frozen=True)
class Sampling:
    """The options of decoding. None means unset, everywhere; 0 is a value.

    `resolve` fills what is unset from `generation_config.json` and then from `BUILT_IN`, and the result prints itself.

    Raises `UsageError` for a value outside its range.
    """

    max_tokens: int | None = None
    """How many tokens a completion may have, at least 1."""
    min_tokens: int | None = None
    """How many it must have before it may end; 0: none."""
    temperature: _Number | None = None
    """0 is greedy decoding: the most probable token, always."""
    top_k: int | None = None
    """Keep the k most probable tokens; 0 keeps all."""
    top_p: _Number | None = None
    """Keep the most probable tokens that make up this mass; 1 keeps all."""
    min_p: _Number | None = None
    """Keep the tokens at least this share as probable as the best; 0 keeps all."""
    repetition_penalty: _Number | None = None
    """Above 1 discourages what has been said, the prompt included; 1 does nothing."""
    no_repeat_ngram: int | None = None
    """Never say the same n tokens twice; 0: allowed."""
    seed: int | None = None
    """Row i of a call draws from its own generator, seeded with seed + i. Unset: a new seed, which is printed."""
    stop: str | Sequence[str] | None = None
    """Strings that end the text; they are no part of it."""
    end_ids: Sequence[int] | None = None
    """Tokens that end the text."""

    def __post_init__(self) -> None:
        for name, span in _RANGES.items():
            span.check(name, getattr(self, name))
        if not all(isinstance(stop, str) and stop for stop in self.stops):
            raise UsageError(f"stop is {self.stop!r}, but every stop string must be text of at least one character.")

    @classmethod
    def of(cls, **options: Any) -> "Sampling":
        """Options by name, of whatever type an API got. An unknown one is a `UsageError` that names the nearest."""
        known = [field.name for field in dataclasses.fields(cls)]
        for name, value in options.items():
            if name in _RANGES:
                _RANGES[name].check(name, value)
            elif name not in known:
                raise UsageError(
                    f"There is no decoding option '{name}'.{nearest(name, known)} There are: {', '.join(known)}."
                )
        return cls(**options)

    @classmethod
    def from_generation_config(cls, config: Mapping[str, Any]) -> "Sampling":
        """What Hugging Face's `generation_config.json` says: greedy decoding, unless it has `do_sample`.

        What the file leaves out stays unset. One difference: a file that samples and gives no `top_k` means k = 50 to
        `transformers`, and no limit here; ours always say it. `unsupported` lists what a file asks for in vain.
        """
        filters: dict[str, Any] = {}
        if config.get("do_sample"):
            filters = {name: config.get(name) for name in ("temperature", "top_k", "top_p", "min_p")}
            filters["temperature"] = 1.0 if filters["temperature"] is None else filters["temperature"]
        elif "do_sample" in config:
            filters = {"temperature": 0.0}
        ends = config.get("eos_token_id")
        return cls(
            max_tokens=config.get("max_new_tokens"),
            min_tokens=config.get("min_new_tokens"),
            **filters,
            repetition_penalty=config.get("repetition_penalty"),
            no_repeat_ngram=config.get("no_repeat_ngram_size"),
            stop=config.get("stop_strings"),
            end_ids=(ends,) if isinstance(ends, int) else ends,
        )

    def to_generation_config(self) -> dict[str, Any]:
        """The same for `generation_config.json`, so that `transformers` generates as we do; it has no seed."""
        config: dict[str, Any] = {
            "max_new_tokens": self.max_tokens,
            "min_new_tokens": self.min_tokens,
            "repetition_penalty": None if self.repetition_penalty is None else float(self.repetition_penalty),
            "no_repeat_ngram_size": self.no_repeat_ngram,
            "stop_strings": list(self.stops) or None,
            "eos_token_id": None if self.end_ids is None else list(self.end_ids),
        }
        if self.temperature is not None:
            config["do_sample"] = not self.greedy
        if self.temperature:  # to transformers, these are an error beside greedy decoding
            config |= {"temperature": float(self.temperature), "top_p": self.top_p, "min_p": self.min_p}
            config["top_k"] = 0 if self.top_k is None else self.top_k
        return {name: value for name, value in config.items() if value is not None}

    def resolve(self, *defaults: "Sampling") -> "Sampling":
        """Everything set: from here, else from the first of `defaults` that sets it, else from `BUILT_IN`.

        A call that sets top_k, top_p or min_p, but no temperature, asks for sampling: where nothing else sets one, its
        temperature is 1. In any other call an unset temperature is 0: greedy.
        """
        values: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            candidates = [getattr(sampling, field.name) for sampling in (self, *defaults, BUILT_IN)]
            values[field.name] = next((value for value in candidates if value is not None), None)
        asks = self.temperature is None and any(value is not None for value in (self.top_k, self.top_p, self.min_p))
        values["temperature"] = values["temperature"] or (1.0 if asks else 0.0)
        if values["seed"] is None:
            values["seed"] = secrets.randbelow(SEEDS)
        return Sampling(**values)

    @property
    def greedy(self) -> bool:
        """Whether the most probable token is always taken, so that nothing is drawn."""
        return self.temperature == 0

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop strings; a single one may have been given as it is."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    def rules(self, prompt_length: int) -> tuple[LogitsRule, ...]:
        """The rules that these options mean, in Hugging Face's order; those that would do nothing are left out.

        `prompt_length` counts the history that was there before the first new token, padding included.
        """
        rules: list[LogitsRule] = []
        if self.repetition_penalty is not None and self.repetition_penalty != 1:
            rules.append(RepetitionPenalty(float(self.repetition_penalty)))
        if self.no_repeat_ngram:
            rules.append(NoRepeatNgram(self.no_repeat_ngram))
        if self.min_tokens and self.end_ids:
            rules.append(MinLength(prompt_length + self.min_tokens, tuple(self.end_ids)))
        if self.greedy:
            return tuple(rules)
        if self.temperature is not None and self.temperature != 1:
            rules.append(Temperature(float(self.temperature)))
        if self.top_k:
            rules.append(TopK(self.top_k))
        if self.top_p is not None and self.top_p != 1:
            rules.append(TopP(float(self.top_p)))
        if self.min_p:
            rules.append(MinP(float(self.min_p)))
        return tuple(rules)

    def to_dict(self) -> dict[str, Any]:
        """Every option that is set, as JSON has it."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values["stop"] = list(self.stops) if self.stop is not None else None
        values["end_ids"] = list(self.end_ids) if self.end_ids is not None else None
        return {name: value for name, value in values.items() if value is not None}

    def __str__(self) -> str:
        """The options that have an effect, for a line in the terminal."""
        drawing = ("temperature", "top_k", "top_p", "min_p", "seed")
        hidden = {"end_ids", *(drawing if self.greedy else ())}
        idle = BUILT_IN.to_dict() | {"max_tokens": None}
        options = {name: value for name, value in self.to_dict().items() if name not in hidden}
        shown = [f"{name}={value!r}" for name, value in options.items() if name not in idle or value != idle[name]]
        return ", ".join(["greedy"] * self.greedy + shown)


#: What holds where neither the user nor the model's folder says anything.
BUILT_IN = Sampling(
    max_tokens=128,
    min_tokens=0,
    top_k=0,
    top_p=1.0,
    min_p=0.0,
    repetition_penalty=1.0,
    no_repeat_ngram=0,
    stop=(),
    end_ids=(),
)

#: Keys of a generation_config.json that change the text and that we do not have, with the value that does nothing.
_UNSUPPORTED: dict[str, object] = {
    "num_beams": 1,
    "num_return_sequences": 1,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "diversity_penalty": 0.0,
    "penalty_alpha": 0.0,
    "encoder_repetition_penalty": 1.0,
    "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "guidance_scale": 1.0,
}


def unsupported(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a `generation_config.json` asks for and we cannot do, as beam search: to be said, never passed over."""
    asked = {name: config[name] for name in _UNSUPPORTED if config.get(name) is not None}
    return {name: value for name, value in asked.items() if value != _UNSUPPORTED[name]}
