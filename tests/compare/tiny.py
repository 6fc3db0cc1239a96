"""A labelled file that tiny models learn, those models in folders, and comparisons of answers that are made up."""

import json
from pathlib import Path

import numpy as np

from tests.finetune.tiny import opposites
from tests.prompts.tiny import speaker
from trivium.compare.candidates import parse_candidates
from trivium.compare.comparison import Comparison, conclude
from trivium.compare.cost import Cost, Latency
from trivium.compare.measured import Failure, Measured, Measurement
from trivium.compare.settings import CompareSettings
from trivium.compare.splits import Splits, make_splits
from trivium.data.examples import Examples, LabelledText
from trivium.evaluate.predictions import Prediction


def splits(count: int = 120) -> Splits:
    """Of the task that a tiny model learns: whether a text has the word "not"."""
    return make_splits(opposites(count), held_out=0.3, choose=0.3)


def file_of(examples: Examples, path: Path) -> Path:
    """Examples as JSON lines."""
    lines = [
        json.dumps({"text": each.text, "label": each.label}) for each in examples if isinstance(each, LabelledText)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def folder_of(family: str, path: Path) -> Path:
    """A tiny random model in a folder."""
    if not path.is_dir():
        speaker(family, 64).save(path)
    return path


def cost(milliseconds: float = 1.0, megabytes: float = 1.0) -> Cost:
    """What a candidate takes."""
    latency = Latency(milliseconds / 1e3, milliseconds / 500, 10)
    return Cost(latency, milliseconds / 2e3, round(megabytes * 1e6), 1000, 10, 1.5)


def compared(**accuracies: float) -> Comparison:
    """Candidates that are right so often, by chance; those named naive_bayes and most_common are baselines."""
    generator = np.random.default_rng(3)
    parts = splits(400)
    truth = [each.label for each in parts.held_out if isinstance(each, LabelledText)]
    assert all(isinstance(label, str) for label in truth)
    measured = []
    for place, (name, accuracy) in enumerate(accuracies.items()):
        right = generator.random(len(truth)) < accuracy
        said = [str(label) if fine else f"<not {label}>" for label, fine in zip(truth, right, strict=True)]
        predictions = tuple(Prediction(each, input=f"Text: <b>{place}</b>") for each in said)
        kind = "baseline" if "_" in name else "encoder"
        measured.append(
            Measured(name.replace("_", "-"), (Measurement(predictions, kind, cost(10**place), {"template": "<i>"}),))
        )
    candidates = parse_candidates([" ".join(each.name for each in measured)])
    settings = CompareSettings(data="opposites", candidates=tuple(each.name for each in measured))
    return conclude(settings, parts, candidates, measured, [Failure("broken", "It <failed>.")])
