"""Points from what was trained: run folders, folders of them, and tables. No torch.

A run folder gives a point at every validation: the held-out loss of its metrics.jsonl, the tokens seen until then, and
from its run.yaml N and the FLOPs of a token. N counts every parameter, tied ones once.
"""

__all__ = ["read_points", "read_run"]

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from trivium.errors import DataError, TriviumError
from trivium.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Point, last_of_runs
from trivium.scaling.tables import Columns, read_table
from trivium.train.metrics import read_metrics

_METRICS: Final = "metrics.jsonl"
_RECORD: Final = "run.yaml"
#: Run folders below one folder.
_MOST_RUNS: Final = 10_000


def read_points(paths: Sequence[Path], columns: Columns | None = None, *, whole_curves: bool = False) -> list[Point]:
    """The points of tables, run folders and folders of runs.

    Of a run folder the last validation is a point, or every one with `whole_curves` (approach 1 needs them); of a
    table every row. Raises `DataError` for what is neither, or holds no points.
    """
    points: list[Point] = []
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} is not there. Name tables of points, run folders, or folders of runs.")
        if path.is_file():
            points += read_table(path, columns)
            continue
        curves = [point for folder in _run_folders(path) for point in read_run(folder)]
        points += curves if whole_curves else last_of_runs(curves)
    return points


def read_run(folder: Path) -> list[Point]:
    """A point for every validation of the run in `folder`. Raises `DataError` where the run says too little."""
    rows = _metrics(folder)
    tokens_at = {row["step"]: row["tokens"] for row in rows if "tokens" in row}
    found = [(tokens_at[row["step"]], row["validation"]["loss"]) for row in rows if _is_validation(row, tokens_at)]
    if not found:
        raise DataError(
            f"{folder} has no validation in its {_METRICS}, so no held-out loss. Train with `validate_every`, or leave "
            "the folder out."
        )
    parameters, flops_per_token = _size(folder)
    return [
        Point(parameters, float(tokens), flops_per_token * tokens, float(loss), str(folder)) for tokens, loss in found
    ]


def _run_folders(folder: Path) -> list[Path]:
    if (folder / _METRICS).is_file():
        return [folder]
    found = sorted(path.parent for path in folder.rglob(_METRICS))
    if not found:
        raise DataError(f"{folder} holds no run: neither it nor a folder in it has a {_METRICS}.")
    if len(found) > _MOST_RUNS:
        raise DataError(f"{folder} holds {len(found):,} runs, over the limit of {_MOST_RUNS:,}. Name a part of them.")
    return found


def _is_row(row: object) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("step"), int):
        return False
    validation = row.get("validation") or {"loss": 0.0}
    return isinstance(validation, dict) and isinstance(validation.get("loss"), int | float)


def _is_validation(row: Mapping[str, Any], tokens_at: Mapping[int, int]) -> bool:
    return bool(row.get("validation")) and row["step"] in tokens_at and tokens_at[row["step"]] > 0


def _metrics(folder: Path) -> list[dict[str, Any]]:
    path = folder / _METRICS
    try:
        rows = read_metrics(path)
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read ({error}): it was altered. Leave the folder out.") from error
    if not all(_is_row(row) for row in rows):
        raise DataError(f"{path} holds rows that are no steps of a training: it was altered. Leave the folder out.")
    return rows


def _size(folder: Path) -> tuple[float, float]:
    """N and the FLOPs of a token: of the run's quote, or else N of its config, and 6 N (3 N with two stacks)."""
    path = folder / _RECORD
    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
        quote = record.get("quote") or {}
        if quote:
            return float(quote["parameters"]), float(quote["flops"] / quote["tokens"])
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise DataError(f"{path} cannot be read ({error}): it was altered. Leave the folder out.") from error
    from trivium.plan.named import architecture_of  # only for runs without a quote

    try:
        architecture = architecture_of(folder)
    except (TriviumError, json.JSONDecodeError) as error:
        raise DataError(
            f"{folder} does not say how many parameters its model has: no quote in its {_RECORD}, and no config.json. "
            "Finish the run, or put its numbers into a table."
        ) from error
    # A token passes one of the two stacks of an encoder-decoder.
    stacks = len(architecture.stacks)
    return float(architecture.parameters), FLOPS_PER_PARAMETER_AND_TOKEN / stacks * architecture.parameters
