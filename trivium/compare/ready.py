"""From a candidate to a predictor that can be asked, with what it took to get there."""

__all__ = ["Ready", "check_candidates", "make_ready"]

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trivium.compare.candidates import AsIs, Baseline, Candidate, FineTuned, Prompted
from trivium.compare.cost import model_memory, python_memory
from trivium.compare.prompt_settings import parse_prompt_settings
from trivium.compare.prompted import make_prompter
from trivium.compare.splits import Splits
from trivium.compare.tuned import check_tuning, tune
from trivium.data.examples import Examples
from trivium.errors import UsageError
from trivium.evaluate.baselines import CopySource, LeadSentence, MostCommon, NaiveBayes, TagLookup
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.evaluate.predictions import Predictor
from trivium.evaluate.word_dictionary import WordDictionary
from trivium.language_model import LanguageModel, load

#: How each baseline is made of the training examples.
_BASELINES: Final[Mapping[str, Callable[[Examples], Predictor]]] = {
    "most-common": MostCommon.of,
    "naive-bayes": NaiveBayes.of,
    "tag-lookup": TagLookup.of,
    "copy-source": lambda _: CopySource(),
    "lead-sentence": lambda _: LeadSentence(),
    "word-dictionary": WordDictionary.of,
}


@dataclass(frozen=True)
class Ready:
    """A predictor, the kind of its model, and what was spent on it. `memory(examples)` is the peak of asking it."""

    predictor: Predictor
    kind: str
    memory: Callable[[Examples], int]
    parameters: int = 0
    trained_parameters: int = 0
    training_seconds: float = 0.0
    training_memory_bytes: int | None = None
    how: Mapping[str, str] = field(default_factory=dict)


def check_candidates(candidates: Sequence[Candidate], splits: Splits) -> None:
    """Raise `UsageError` for what is known to be wrong before anything is trained: settings, other tasks."""
    for candidate in candidates:
        match candidate:
            case Prompted():
                parse_prompt_settings(candidate.settings, candidate.name)
            case FineTuned():
                check_tuning(candidate)
            case Baseline():
                fits = {"naive-bayes": "classification", "tag-lookup": "tagging", "most-common": splits.train.form}
                if fits.get(candidate.kind, "text-to-text") != splits.train.form:
                    raise UsageError(
                        f"The baseline {candidate.kind} is for {fits.get(candidate.kind, 'text-to-text')}, and "
                        f"{splits.train.where} holds examples of {splits.train.form}: leave it out."
                    )
            case AsIs():
                pass


def make_ready(
    candidate: Candidate, splits: Splits, folder: Path, seed: int, told: Callable[[str], None] = lambda _: None
) -> Ready:
    """Train, load or count what a candidate is made of; its own files are under `folder`.

    Raises what loading, training and prompting raise.
    """
    match candidate:
        case Baseline():
            began = time.perf_counter()
            make = _BASELINES[candidate.kind]
            predictor = make(splits.train)
            seconds = time.perf_counter() - began
            return Ready(
                predictor,
                "baseline",
                lambda examples: python_memory(lambda: make(splits.train), examples),
                training_seconds=seconds,
            )
        case AsIs():
            told("loading")
            return _model_ready(lm := load(candidate.model), HeadPredictor(lm))
        case Prompted():
            told("loading, and choosing by the choose split")
            lm = load(candidate.model)
            settings = parse_prompt_settings(candidate.settings, candidate.name)
            began = time.perf_counter()
            prompter, how = make_prompter(lm, candidate.shots, settings, splits, seed)
            return _model_ready(lm, prompter, training_seconds=time.perf_counter() - began, how=how)
        case FineTuned():
            tuned = tune(candidate, splits, folder, seed, told)
            return _model_ready(
                tuned.lm,
                tuned.predictor,
                trained_parameters=tuned.trained_parameters,
                training_seconds=tuned.seconds,
                training_memory_bytes=tuned.memory_bytes,
                how=tuned.how,
            )


def _model_ready(
    lm: LanguageModel,
    predictor: Predictor,
    trained_parameters: int = 0,
    training_seconds: float = 0.0,
    training_memory_bytes: int | None = None,
    how: Mapping[str, str] | None = None,
) -> Ready:
    return Ready(
        predictor,
        lm.architecture.kind,
        lambda examples: model_memory(predictor, examples, lm.model),
        lm.architecture.parameters,
        trained_parameters,
        training_seconds,
        training_memory_bytes,
        how or {},
    )
