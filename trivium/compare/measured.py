"""What was measured of a candidate, and how it is kept: in the candidate's own folder, whole or not at all.

runs/compare/minilm+head/seed-0/
    run/             the training's own folder
    samples.jsonl    what it said of every held-out item, in their order (`evaluate.samples`)
    measured.json    what it cost and how it asks; written last, with a fingerprint of all that went into it
"""

__all__ = ["Failure", "Measured", "Measurement", "folder_name", "read_measurement", "write_measurement"]

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trivium.compare.cost import Cost
from trivium.evaluate.predictions import Prediction
from trivium.evaluate.samples import Journal
from trivium.files import atomic_write

_MEASURED: Final = "measured.json"
_LONGEST_NAME: Final = 80


@dataclass(frozen=True)
class Measurement:
    """Of a candidate from one seed: what it says of each held-out item, what it costs, and how it asks.

    `kind` is that of its model: encoder, decoder, encoder-decoder, or baseline.
    """

    predictions: tuple[Prediction, ...]
    kind: str
    cost: Cost
    how: Mapping[str, str]


@dataclass(frozen=True)
class Measured:
    """A candidate with its measurements, one for each seed."""

    name: str
    measurements: tuple[Measurement, ...]

    @property
    def kind(self) -> str:
        """That of its model, or baseline."""
        return self.measurements[0].kind

    @property
    def cost(self) -> Cost:
        """That of the first seed: the others are the same work."""
        return self.measurements[0].cost


@dataclass(frozen=True)
class Failure:
    """A candidate that could not be measured, and why."""

    name: str
    reason: str


def folder_name(name: str) -> str:
    """A candidate's name as a folder's, different for different names."""
    plain = re.sub(r"[^\w.+@=-]+", "_", name).strip("._")[:_LONGEST_NAME]
    return plain if plain == name else f"{plain or 'candidate'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def write_measurement(folder: Path, measurement: Measurement, key: str, inputs: str) -> None:
    """Keep it, the predictions being there under `key`."""
    kept = {
        "inputs": inputs,
        "key": key,
        "kind": measurement.kind,
        "cost": measurement.cost.to_dict(),
        "how": dict(measurement.how),
    }
    atomic_write(folder / _MEASURED, json.dumps(kept, indent=1) + "\n")


def read_measurement(folder: Path, inputs: str) -> Measurement | None:
    """What was kept of the same inputs; None where there is none, or it cannot be read."""
    try:
        kept = json.loads((folder / _MEASURED).read_text(encoding="utf-8"))
        if kept["inputs"] != inputs:
            return None
        predictions = tuple(Journal(folder, kept["key"]).predictions)
        return (
            Measurement(predictions, kept["kind"], Cost.from_dict(kept["cost"]), kept["how"]) if predictions else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
