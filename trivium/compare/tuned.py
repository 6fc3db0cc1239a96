"""A model that is fine-tuned on the training split; the choose split decides which checkpoint is kept."""

__all__ = ["Tuned", "check_tuning", "tune"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trivium.adapt.lora import Lora
from trivium.architecture import Kind
from trivium.compare.candidates import FineTuned
from trivium.compare.splits import Splits
from trivium.compare.spoken import SpokenPredictor
from trivium.data.examples import Examples, TextPair
from trivium.errors import UsageError
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.evaluate.predictions import Predictor
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings, parse_finetune_settings
from trivium.finetune.text_to_text import as_text_pairs
from trivium.language_model import LanguageModel, load

#: What is set where the candidate does not say: adapters learn at a higher rate (Hu et al. 2022, appendix D).
_LORA_LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Tuned:
    """The model, how it is asked, and what its training took."""

    lm: LanguageModel
    predictor: Predictor
    trained_parameters: int
    seconds: float
    memory_bytes: int | None
    how: Mapping[str, str]


def check_tuning(candidate: FineTuned) -> None:
    """Raise `UsageError` for settings that fine-tuning has not."""
    _settings(candidate, 0)


def tune(
    candidate: FineTuned, splits: Splits, folder: Path, seed: int, told: Callable[[str], None] = lambda _: None
) -> Tuned:
    """Train in `folder`/run, or go on there, and load what came of it.

    Raises what fine-tuning raises, and `KeyboardInterrupt` where it was stopped.
    """
    base = load(candidate.model)
    settings = _settings(candidate, seed)
    way = candidate.way or _natural_way(base.architecture.kind, splits)
    speaks = way == "text" and splits.train.form != "text-to-text"
    train, choose = (as_text_pairs(part) if speaks else part for part in (splits.train, splits.choose))
    told(f"fine-tuning ({way}) on {len(train):,} examples, {settings.steps(len(train)):,} steps")
    done = finetune(base, train, folder / "run", choose, settings, base=candidate.model)
    if not done.finished:
        raise KeyboardInterrupt
    lm = done.load()
    writer = HeadPredictor(lm, options={"max_tokens": _longest_answer(lm, train)} if speaks else {})
    memory = done.result.memory
    how = {
        "trained": f"{way}, {done.result.steps:,} steps, the best at {done.result.kept_step or done.result.steps:,}",
        "learning rate": f"{settings.learning_rate:g}",
    }
    return Tuned(
        lm,
        SpokenPredictor(writer, splits.train.form) if speaks else writer,
        done.trained_parameters,
        done.result.seconds,
        None if memory is None else memory.total,
        how,
    )


def _longest_answer(lm: LanguageModel, pairs: Examples) -> int:
    """Tokens of the longest answer that was taught, with the end: a label is no longer, and one that is, is wrong."""
    answers = {pair.targets[0] for pair in pairs if isinstance(pair, TextPair)}
    return 1 + max(len(lm.tokenizer.encode(answer)) for answer in answers)


def _natural_way(kind: Kind, splits: Splits) -> Literal["head", "text"]:
    """A head for an encoder; text for what writes; and for tags and parts of a context a head in any case."""
    return "head" if kind == "encoder" or splits.train.form in ("tagging", "extraction") else "text"


def _settings(candidate: FineTuned, seed: int) -> FineTuneSettings:
    given: dict[str, Any] = {key: value for key, value in candidate.settings.items() if key != "lora"}
    if "seed" in given:
        raise UsageError(f"In '{candidate.name}', the seed is that of the comparison: set it there.")
    if candidate.lora:
        given = {"learning_rate": _LORA_LEARNING_RATE, **given, "lora": _lora(candidate)}
    try:
        return parse_finetune_settings({**given, "seed": seed})
    except UsageError as error:
        raise UsageError(f"In '{candidate.name}': {error}") from error


def _lora(candidate: FineTuned) -> Lora:
    values = candidate.settings.get("lora") or {}
    if not isinstance(values, Mapping):
        raise UsageError(f"In '{candidate.name}', lora holds {values!r:.60}: give its settings, such as rank: 8.")
    known = Lora.__dataclass_fields__
    for name in values:
        if name not in known:
            raise UsageError(f"In '{candidate.name}', lora has no setting '{name}'; it has {', '.join(known)}.")
    targets = values.get("targets")
    return Lora(**{**values, **({"targets": tuple(targets)} if isinstance(targets, list) else {})})
