"""The whole comparison, candidate by candidate: stopped at any point, the same call goes on there.

runs/compare/
    comparison.yaml                  what was asked, with every value spelled out: it can be given back
    minilm+head/seed-0/              a folder for each candidate and seed (`measured`)
    comparison.json                  the outcome
    comparison.svg, report.html      for a person
"""

__all__ = ["Told", "compare", "read_splits"]

import gc
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import yaml

from trivium.compare.candidates import Baseline, Candidate, FineTuned, Prompted, parse_candidates
from trivium.compare.comparison import Comparison, conclude, metric_of
from trivium.compare.cost import Cost, measure_latency
from trivium.compare.measured import Failure, Measured, Measurement, folder_name, read_measurement, write_measurement
from trivium.compare.ready import check_candidates, make_ready
from trivium.compare.report import write_report
from trivium.compare.settings import CompareSettings
from trivium.compare.splits import Splits, make_splits
from trivium.data.example_reader import read_examples
from trivium.errors import StorageError, TriviumError
from trivium.evaluate.evaluation import evaluate
from trivium.evaluate.predictions import Described
from trivium.files import atomic_write
from trivium.loading import stamp

#: Says what is being done with a candidate.
Told = Callable[[str], None]


def compare(
    settings: CompareSettings, told: Told = lambda _: None, reference: Callable[[str], str] = str
) -> Comparison:
    """Every candidate through the same splits; the outcome is also written into the folder.

    `reference` says where a model that a candidate names is, for names that only the caller knows. A candidate that
    fails is reported and does not end the others. Raises `UsageError` for settings that are wrong in themselves and
    where all candidates fail, `DataError` for examples that cannot be read, `StorageError` for a folder that cannot be
    written.
    """
    candidates = tuple(_placed(candidate, reference) for candidate in parse_candidates(settings.candidates))
    splits = read_splits(settings)
    metric = metric_of(settings, splits)
    check_candidates(candidates, splits)
    settings.out.mkdir(parents=True, exist_ok=True)
    written = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    atomic_write(settings.out / "comparison.yaml", written)
    told(f"{settings.data}: {splits}")
    measured: list[Measured] = []
    failed: list[Failure] = []
    for candidate in candidates:
        try:
            measured.append(_measured(candidate, splits, settings, metric, told))
        except StorageError:
            raise
        except Exception as error:  # one that fails must not cost the others' work
            failed.append(Failure(candidate.name, _reason(error)))
            told(f"{candidate.name}: failed. {failed[-1].reason}")
        gc.collect()  # its weights, before the next ones come
    comparison = conclude(settings, splits, candidates, measured, failed)
    atomic_write(settings.out / "comparison.json", json.dumps(comparison.to_dict(), indent=1, default=str) + "\n")
    write_report(comparison, settings.out)
    return comparison


def read_splits(settings: CompareSettings) -> Splits:
    """The splits of the settings' data."""
    columns = settings.columns or None
    examples = read_examples(settings.data, split=settings.split, columns=columns)
    test = None
    if settings.test is not None or settings.test_split is not None:
        test = read_examples(settings.test or settings.data, split=settings.test_split, columns=columns)
    return make_splits(
        examples,
        held_out=settings.held_out,
        choose=settings.choose,
        seed=settings.seed,
        test=test,
        train_items=settings.train_items,
        held_out_items=settings.held_out_items,
    )


def _placed(candidate: Candidate, reference: Callable[[str], str]) -> Candidate:
    return candidate if isinstance(candidate, Baseline) else replace(candidate, model=reference(candidate.model))


def _measured(candidate: Candidate, splits: Splits, settings: CompareSettings, metric: str, told: Told) -> Measured:
    """A candidate from every seed; from one where no draw is in it."""
    draws = isinstance(candidate, FineTuned) or (isinstance(candidate, Prompted) and candidate.shots > 0)
    weights = "" if isinstance(candidate, Baseline) else stamp(candidate.model)
    found = []
    for number in range(settings.seeds if draws else 1):
        seed = settings.seed + number
        name = candidate.name if number == 0 else f"{candidate.name}, seed {seed}"
        folder = settings.out / folder_name(candidate.name) / f"seed-{seed}"
        inputs = json.dumps([str(candidate), weights, splits.fingerprint, seed])
        kept = read_measurement(folder, inputs)
        if kept is None:
            kept = _measure(candidate, splits, folder, seed, metric, inputs, _told_of(name, told))
        else:
            told(f"{name}: measured before, in {folder}")
        found.append(kept)
    return Measured(candidate.name, tuple(found))


def _told_of(name: str, told: Told) -> Told:
    return lambda said: told(f"{name}: {said}")


def _measure(
    candidate: Candidate, splits: Splits, folder: Path, seed: int, metric: str, inputs: str, told: Told
) -> Measurement:
    folder.mkdir(parents=True, exist_ok=True)
    ready = make_ready(candidate, splits, folder, seed, told)
    held_out = splits.held_out
    told(f"answering {len(held_out):,} items")
    evaluation = evaluate(ready.predictor, held_out, metrics=[metric], folder=folder, identity=inputs)
    told(f"{evaluation.main}; measuring its cost")
    cost = Cost(
        measure_latency(ready.predictor, held_out),
        evaluation.seconds / len(held_out),
        ready.memory(held_out),
        ready.parameters,
        ready.trained_parameters,
        ready.training_seconds,
        ready.training_memory_bytes,
    )
    asked = dict(ready.predictor.how) if isinstance(ready.predictor, Described) else {}
    measurement = Measurement(evaluation.predictions, ready.kind, cost, {**asked, **ready.how})
    write_measurement(folder, measurement, evaluation.key, inputs)
    return measurement


def _reason(error: Exception) -> str:
    if isinstance(error, TriviumError):
        return str(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return "It does not fit the memory: use a smaller model, or shorter texts (max_tokens)."
    return f"{type(error).__name__}: {error}. This is a fault in Trivium, not yours."
