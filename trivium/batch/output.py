"""Rows with their results as one file, in the format that its name says.

    .jsonl     an object a line                                        .csv .tsv     a header and records
    .parquet   through pyarrow; columns of a parquet input keep their types

Each row keeps all that it had; its results follow. A row without a result says why under "skipped". In .csv and .tsv
a list or a mapping is written as JSON. The file appears whole or not at all. No torch.
"""

__all__ = ["OUTPUTS", "check_output", "write_output"]

import csv
import datetime
import decimal
import io
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from trivium.data.readers import Row
from trivium.errors import UsageError
from trivium.files import atomic_stream

#: Rows of a group of a parquet file, and so the rows that are held at once.
_GROUP_ROWS: Final = 1024


def check_output(path: Path) -> None:
    """Raise `UsageError` for a file of a format that cannot be written, or one that is there already."""
    if path.suffix not in OUTPUTS:
        raise UsageError(
            f"{path} is of no format that is written: it ends in '{path.suffix}', and there are {', '.join(OUTPUTS)}."
        )
    if path.exists():
        raise UsageError(f"{path} is there already, and would be lost. Remove it, or choose another name.")


def write_output(path: Path, rows: Iterable[Row], columns: Sequence[str], types: Mapping[str, Any]) -> None:
    """Write rows to a new file. `columns` are the names of all; `types` pyarrow's types of those that are known.

    Raises `StorageError` where the disk is full or the place cannot be written.
    """
    with atomic_stream(path) as stream:
        OUTPUTS[path.suffix](stream, rows, columns, types)


def _jsonl(stream: BinaryIO, rows: Iterable[Row], columns: Sequence[str], types: Mapping[str, Any]) -> None:
    for row in rows:
        stream.write(_json(row).encode() + b"\n")


def _records(delimiter: str) -> Callable[[BinaryIO, Iterable[Row], Sequence[str], Mapping[str, Any]], None]:
    def write(stream: BinaryIO, rows: Iterable[Row], columns: Sequence[str], types: Mapping[str, Any]) -> None:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
        text.detach()

    return write


def _parquet(stream: BinaryIO, rows: Iterable[Row], columns: Sequence[str], types: Mapping[str, Any]) -> None:
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([(column, types.get(column, pyarrow.string())) for column in columns])
    writer: Any = pyarrow.parquet.ParquetWriter(stream, schema)
    with writer:
        for group in _groups(rows):
            writer.write_table(pyarrow.Table.from_pylist([_typed(row, schema) for row in group], schema=schema))


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while group := list(itertools.islice(rows, _GROUP_ROWS)):
        yield group


def _typed(row: Row, schema: Any) -> Row:
    """The row, with JSON where a column of text holds something else: types differ from row to row."""
    return {
        field.name: _cell(row.get(field.name)) if str(field.type) == "string" else row.get(field.name)
        for field in schema
    }


def _cell(value: object) -> object:
    """What a cell of text holds: JSON for what is no text."""
    return value if isinstance(value, str | None) else _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    """What JSON has no form for, as text; bytes by their hexadecimal digits."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    assert isinstance(value, decimal.Decimal | datetime.timedelta), value
    return str(value)


#: Format by the file's name -> how it is written.
OUTPUTS: Final[dict[str, Callable[[BinaryIO, Iterable[Row], Sequence[str], Mapping[str, Any]], None]]] = {
    ".jsonl": _jsonl,
    ".csv": _records(","),
    ".tsv": _records("\t"),
    ".parquet": _parquet,
}
