"""What is compared, in a word: a baseline, or a model and what is done with it. No torch.

    naive-bayes               a baseline: it trains in seconds, and a model must beat it
    minilm                    a model as it is, with the head that it has
    smollm2-135m@0-shot       a decoder that reads a prompt, with as many examples as are said
    minilm+head               fine-tuned with a head for the task
    runs/quickstart/t5+text   fine-tuned to write its answer, text to text
    smollm2-135m+lora         fine-tuned by low-rank adapters: an encoder with a head, others text to text
    smollm2-135m+head+lora    the same, with a head

Settings stand behind a colon, as `minilm+head:epochs=2,learning_rate=5e-5` or `smollm2-135m+lora:lora.rank=4`. In
YAML, a candidate is such a text, or a mapping:

    - {baseline: naive-bayes}
    - {model: smollm2-135m, shots: 4, template: "{{ text }}"}
    - {name: adapted, model: smollm2-135m, train: text, lora: {rank: 4}, epochs: 2}
"""

__all__ = [
    "BASELINES",
    "AsIs",
    "Baseline",
    "Candidate",
    "FineTuned",
    "Prompted",
    "candidate_of",
    "parse_candidate",
    "parse_candidates",
]

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from trivium.errors import UsageError, nearest

#: By the name of each baseline, what it says.
BASELINES: Final[Mapping[str, str]] = {
    "most-common": "the commonest answer of the training examples",
    "naive-bayes": "the label whose words these are",
    "tag-lookup": "each word's commonest tag",
    "copy-source": "the source itself",
    "lead-sentence": "the source's first sentence",
    "word-dictionary": "the source word by word",
}
_WAYS: Final = ("head", "text", "lora")
_SHOTS: Final = re.compile(r"(?P<model>.+)@(?P<shots>\d+)-shots?")
#: What is so much like a baseline's name, in difflib's measure, is taken for that misspelt and not for a model's.
_MISSPELT: Final = 0.8
_SETTING: Final = re.compile(r"[A-Za-z_][\w.]*=.*")


@dataclass(frozen=True)
class Baseline:
    """One of `BASELINES`."""

    name: str
    kind: str


@dataclass(frozen=True)
class AsIs:
    """A model that has the task's head already."""

    name: str
    model: str


@dataclass(frozen=True)
class Prompted:
    """A decoder that is shown `shots` examples of the training split before each item. `settings` are the prompt's."""

    name: str
    model: str
    shots: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FineTuned:
    """A model that is trained on the training split: with a head, or to write its answer (`text`).

    A `way` of None is a head for an encoder and text for the others. `settings` are those of fine-tuning.
    """

    name: str
    model: str
    way: Literal["head", "text"] | None
    lora: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


Candidate = Baseline | AsIs | Prompted | FineTuned


def parse_candidates(entries: Sequence[str | Mapping[str, Any]]) -> tuple[Candidate, ...]:
    """Every candidate of a list; a text may hold several, with commas or spaces between.

    Raises `UsageError` for an empty list, for what is no candidate, and for two of one name.
    """
    found = [
        candidate
        for entry in entries
        for candidate in (
            [parse_candidate(text) for text in _apart(entry)] if isinstance(entry, str) else [candidate_of(entry)]
        )
    ]
    if not found:
        raise UsageError(
            "There are no candidates. Name what to compare, such as: most-common, naive-bayes, minilm+head, "
            "smollm2-135m@4-shot."
        )
    names = [candidate.name for candidate in found]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"Two candidates are named '{doubled}'. Leave one out, or give one another `name` (in YAML).")
    return tuple(found)


def parse_candidate(text: str) -> Candidate:
    """The candidate of a text. Raises `UsageError` naming what is wrong in it, and the nearest right word."""
    body, _, said = text.partition(":")
    if not body:
        raise UsageError(f"'{text}' names no model and no baseline.")
    settings = _settings(said, text)
    if body in BASELINES:
        return candidate_of({"baseline": body, "name": text, **settings})
    if "@" in body and not Path(body).exists():
        found = _SHOTS.fullmatch(body)
        if found is None:
            model, _, after = body.rpartition("@")
            raise UsageError(
                f"In '{text}', '@{after}' is no number of shots: write '{model}@0-shot', '{model}@4-shot' or another."
            )
        return candidate_of({"model": found["model"], "shots": int(found["shots"]), "name": text, **settings})
    model, ways = _ways(body, text)
    if not ways:
        _refuse_misspelt_baseline(body)
        return candidate_of({"model": model, "name": text, **settings})
    way = next((word for word in ways if word != "lora"), None)
    return candidate_of(
        {"model": model, "train": way or "lora", "name": text, **({"lora": {}} if "lora" in ways else {}), **settings}
    )


def candidate_of(entry: Mapping[str, Any]) -> Candidate:
    """The candidate of a mapping, as YAML has it. Raises `UsageError` for one that is neither or both of two things."""
    rest = dict(entry)
    name, kind, model = rest.pop("name", None), rest.pop("baseline", None), rest.pop("model", None)
    if (kind is None) == (model is None):
        raise UsageError(f"The candidate {dict(entry)!r:.200} must have a model, or a baseline, and not both.")
    if kind is not None:
        if kind not in BASELINES:
            raise UsageError(
                f"There is no baseline '{kind}'; there are {', '.join(BASELINES)}.{nearest(str(kind), BASELINES)}"
            )
        return Baseline(_name(name or kind), kind) if not rest else _refuse_settings(f"baseline {kind}", rest)
    shots, way = rest.pop("shots", None), rest.pop("train", None)
    if shots is not None and (way is not None or "lora" in rest):
        raise UsageError(f"The candidate '{name or model}' is prompted (shots) and trained: make two candidates of it.")
    if shots is not None:
        if not isinstance(shots, int) or isinstance(shots, bool) or shots < 0:
            raise UsageError(f"The candidate '{name or model}' has {shots!r} shots: give a whole number, 0 or more.")
        return Prompted(_name(name or f"{model}@{shots}-shot"), str(model), shots, rest)
    if way is None and "lora" not in rest:
        return AsIs(_name(name or model), str(model)) if not rest else _refuse_settings(f"model {model} as it is", rest)
    if way not in (None, *_WAYS):
        raise UsageError(f"A model is trained with head, text or lora, not '{way}'.{nearest(str(way), _WAYS)}")
    lora = "lora" in rest or way == "lora"
    shown = f"{model}{'' if way in (None, 'lora') else '+' + way}{'+lora' if lora else ''}"
    return FineTuned(_name(name or shown), str(model), None if way == "lora" else way, lora, rest)


def _apart(text: str) -> list[str]:
    """The candidates of a text: `a:x=1,y=2, b` is two, as `y=2` is a setting and `b` is none."""
    found: list[str] = []
    for word in text.split():
        for place, piece in enumerate(word.split(",")):
            if place and found and ":" in found[-1] and _SETTING.fullmatch(piece):
                found[-1] += f",{piece}"
            elif piece:
                found.append(piece)
    return found


def _settings(text: str, where: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for piece in filter(None, text.split(",")):
        key, is_set, value = piece.partition("=")
        if not is_set or not key:
            raise UsageError(f"In '{where}', '{piece}' is no setting: write name=value, with commas between several.")
        place = settings
        *path, last = key.split(".")
        for part in path:
            place = place.setdefault(part, {})
        try:
            place[last] = _value(value)
        except yaml.YAMLError as error:
            raise UsageError(f"In '{where}', the value '{value}' of {key} is no number, word or list.") from error
    return settings


def _value(text: str) -> object:
    """As YAML reads it, and numbers such as 5e-5, which YAML takes for words."""
    try:
        return float(text) if re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", text) else yaml.safe_load(text)
    except ValueError:  # such as a date that is none
        return text


def _ways(body: str, where: str) -> tuple[str, tuple[str, ...]]:
    """The model and the words behind its plus signs, of which some may be the name of a folder that is there."""
    if Path(body).exists():
        return body, ()
    model, *ways = body.split("+")
    while ways and ways[0] not in _WAYS and any(way in _WAYS for way in ways):
        model = f"{model}+{ways.pop(0)}"
    for way in ways:
        if way not in _WAYS:
            raise UsageError(
                f"In '{where}', '+{way}' is none of +head, +text and +lora, the ways to train a model."
                f"{nearest(way, _WAYS)}"
            )
    if len(set(ways)) < len(ways) or {"head", "text"} <= set(ways):
        raise UsageError(f"In '{where}', take one of +head and +text, and each way once; +lora may follow.")
    return model, tuple(ways)


def _refuse_misspelt_baseline(word: str) -> None:
    alike = max(SequenceMatcher(None, word, known).ratio() for known in BASELINES)
    if alike > _MISSPELT and not Path(word).exists():
        raise UsageError(f"There is no baseline '{word}'; there are {', '.join(BASELINES)}.{nearest(word, BASELINES)}")


def _refuse_settings(what: str, settings: Mapping[str, Any]) -> Candidate:
    raise UsageError(f"The {what} has no settings, and {', '.join(settings)} is set: leave it out.")


def _name(value: object) -> str:
    name = str(value).strip()
    if not name or len(name) > 200:
        raise UsageError(f"A candidate's name has 1 to 200 characters, and '{name:.40}' has {len(name)}.")
    return name
