"""metrics.jsonl: one row of JSON a line for every step and every validation. The file every report is drawn from.

A training row has `step` (counted from 1), `loss` (nats per target), `gradient_norm` (before clipping),
`learning_rate`, `tokens` and `targets` (so far), `seconds` (in steps so far), and of this step `step_seconds`,
`tokens_per_second` and, where the model's operations are known, `flops_per_second`.
A validation row has `step` and `validation`: `loss`, `perplexity`, `bits_per_byte`, `targets`, `bytes`.
"""

__all__ = ["MetricsFile", "median_step_seconds", "read_metrics"]

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trivium.files import atomic_write, storage_errors


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of a metrics file, or none where there is no file. A last line that was cut off is left out."""
    if not path.is_file():
        return []
    whole = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in whole if line.endswith("\n")]


def median_step_seconds(path: Path) -> float | None:
    """The median time of the steps in a metrics file, over all the times the run was started; None without any."""
    taken = [row["step_seconds"] for row in read_metrics(path) if "step_seconds" in row]
    return statistics.median(taken) if taken else None


class MetricsFile:
    """Appends rows to a metrics file, each on the disk's way before the next step starts.

    Opened for a run that continues from `step`, it first drops the rows that the run will make again: of later steps,
    and of validations later than `validated_step`.
    """

    def __init__(self, path: Path, step: int, validated_step: int) -> None:
        self.path = path
        rows = [row for row in read_metrics(path) if row["step"] <= (validated_step if row.get("validation") else step)]
        atomic_write(path, "".join(_line(row) for row in rows))
        self._stream = path.open("a", encoding="utf-8")

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row. Raises `StorageError` on a full disk."""
        with storage_errors(self.path):
            self._stream.write(_line(row))
            self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        with storage_errors(self.path):
            self._stream.close()


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row) + "\n"
