"""A job over rows that a test has at hand."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet

from trivium.batch.job import Finished, RowTask, run_job
from trivium.data.sources import open_source

LONG = "She counted the boats twice. " * 20  # over the 64 positions of the tiny models


def ran(task: RowTask, rows: list[dict[str, Any]], folder: Path, suffix: str = ".jsonl") -> tuple[list[Any], Finished]:
    source, output = folder / "in.jsonl", folder / f"out{suffix}"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    finished = run_job(task, open_source(source, column=next(iter(rows[0]))), output)
    if suffix == ".parquet":
        return pyarrow.parquet.read_table(output).to_pylist(), finished
    return [json.loads(line) for line in output.read_text().splitlines()], finished
