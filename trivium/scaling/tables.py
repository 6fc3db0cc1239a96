"""Any table to points: csv, tsv, json, jsonl and parquet, with errors that name file, line, column and value. No torch.

params, tokens, flops, loss, run        the columns, unless others are named
flops absent                            6 N D
tokens absent                           C / 6 N
run absent                              every row is a run of its own
"""

__all__ = ["FORMATS", "MOST_ROWS", "Columns", "read_table"]

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trivium.errors import DataError, nearest
from trivium.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Point

#: The most rows of a table, and bytes of a file.
MOST_ROWS: Final = 100_000
_MOST_BYTES: Final = 256 * 2**20

#: Where a row stands ("line 3"), and its values by column.
_Row = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns. One that is named otherwise than here must be there."""

    params: str = "params"
    tokens: str = "tokens"
    flops: str = "flops"
    loss: str = "loss"
    run: str = "run"


def read_table(path: Path, columns: Columns | None = None) -> list[Point]:
    """The points of a table, by its suffix. Raises `DataError` for what is no table of positive numbers."""
    named = columns or Columns()
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path} is no table that can be read: its name must end in one of {', '.join(FORMATS)}.")
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise DataError(f"{path} has {size:,} bytes, over the limit of {_MOST_BYTES:,}. Keep the columns needed.")
        rows = list(_limited(path, reader(path)))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 (byte {error.start:,}): convert it, or save it as UTF-8.") from error
    if not rows:
        raise DataError(f"{path} holds no rows. A table has a header and a row for every model.")
    _check_columns(path, named, rows[0][1])
    there = frozenset(rows[0][1])
    return [_point(f"{path}, {where}", row, named, there) for where, row in rows]


def _limited(path: Path, rows: Iterator[_Row]) -> Iterator[_Row]:
    for number, row in enumerate(rows):
        if number == MOST_ROWS:
            raise DataError(f"{path} has more than {MOST_ROWS:,} rows: keep one for every model, or thin the curves.")
        yield row


def _check_columns(path: Path, named: Columns, row: Mapping[str, Any]) -> None:
    there = list(row)
    wanted = {name: column for name, column in vars(named).items() if column != getattr(Columns(), name)}
    wanted |= {"params": named.params, "loss": named.loss}
    if named.flops not in row:
        wanted["tokens"] = named.tokens
    for name, column in wanted.items():
        if column not in row:
            listed = ", ".join(f"'{known}'" for known in there) or "none"
            raise DataError(
                f"{path} has no column '{column}': it has {listed}.{nearest(column, there)} Name the column of {name} "
                f"with --{name} COLUMN."
            )


def _point(where: str, row: Mapping[str, Any], named: Columns, there: frozenset[str]) -> Point:
    parameters, loss = _number(where, row, named.params), _number(where, row, named.loss)
    product = FLOPS_PER_PARAMETER_AND_TOKEN * parameters
    if named.tokens in there:
        tokens = _number(where, row, named.tokens)
        flops = _number(where, row, named.flops) if named.flops in there else product * tokens
    else:
        flops = _number(where, row, named.flops)
        tokens = flops / product
    run = row.get(named.run)
    return Point(parameters, tokens, flops, loss, "" if run is None else str(run))


def _number(where: str, row: Mapping[str, Any], column: str) -> float:
    value = row.get(column)
    try:
        number = math.nan if value is None or isinstance(value, bool) else float(value)
        wrong = "is not a number" if math.isnan(number) else "is not finite" if math.isinf(number) else None
    except (ValueError, TypeError, OverflowError):
        number, wrong = 0.0, "is not a number"
    if wrong is None and number <= 0:
        wrong = "is not greater than zero"
    if wrong:
        raise DataError(f"{where}, column '{column}': {value!r:.60} {wrong}. Correct the row or take it out.")
    return number


# ---- formats --------------------------------------------------------------------------------------------------------


def _csv(path: Path) -> Iterator[_Row]:
    text = path.read_text(encoding="utf-8-sig")
    first = text.partition("\n")[0]
    separator = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells under a header of {len(header)}. Is a "
                    "separator missing, or a comma inside a number?"
                )
            yield f"line {reader.line_num}", dict(zip(header, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}.") from error


def _jsonl(path: Path) -> Iterator[_Row]:
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.strip():
            yield f"line {number}", _object(f"{path}, line {number}", _parsed(f"{path}, line {number}", line))


def _json(path: Path) -> Iterator[_Row]:
    content = _parsed(str(path), path.read_text(encoding="utf-8-sig"))
    if not isinstance(content, list):
        raise DataError(f"{path} holds {type(content).__name__}, and a table is a list of objects.")
    for number, entry in enumerate(content, 1):
        yield f"entry {number}", _object(f"{path}, entry {number}", entry)


def _parquet(path: Path) -> Iterator[_Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path} is not a parquet file that can be read: {error}") from error
    for number, row in enumerate(table.to_pylist(), 1):
        yield f"row {number}", row


def _parsed(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON: {error}. Is the file truncated?") from error


def _object(where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{where} holds {type(value).__name__}, and a row is an object of columns.")
    return value


#: Suffix -> reader.
FORMATS: Final[Mapping[str, Callable[[Path], Iterator[_Row]]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
