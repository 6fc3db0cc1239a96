"""Files of each format to rows, with errors that name the file and the line.

    .txt .md        text, cut at blank lines           .jsonl          an object a line
    .csv .tsv       a header and records               .conll .bio     a token a line, its tag last
    .parquet        through pyarrow                    and each but parquet also as .gz and .zst

Lines are read here and not by the `datasets` library, which reads the hub's data (`hub.py`), because only so can an
error say which byte of which line is wrong.

A text file becomes documents by one rule: it is cut at blank lines where a passage has grown to `PASSAGE_BYTES`. A
small file is one document; a novel or a corpus in one file becomes passages of a few pages, some of which can be held
out.
"""

__all__ = ["COMPRESSIONS", "FORMATS", "PASSAGE_BYTES", "format_of", "rows_of"]

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from trivium.data.readers import Row
from trivium.errors import DataError

#: A text file is cut at the first blank line after so many bytes.
PASSAGE_BYTES: Final = 8192

_LARGEST_FIELD: Final = 2**31 - 1


def format_of(path: Path) -> str | None:
    """The format of a file by its name (".jsonl" of "a.jsonl.gz"), None where it is none of ours."""
    suffixes = path.suffixes
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes = suffixes[:-1]
        return suffixes[-1] if suffixes and suffixes[-1] in FORMATS and suffixes[-1] != ".parquet" else None
    return suffixes[-1] if suffixes and suffixes[-1] in FORMATS else None


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a file of any format.

    Raises `DataError` for what is not of its format: bytes that are no UTF-8, broken JSON, records of another length.
    """
    name = format_of(path)
    assert name is not None, path
    return FORMATS[name](path)


# ---- bytes to lines -------------------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines with their line ends, decoded one by one."""
    offset = 0
    with _opened(path) as stream:
        try:
            for number, line in enumerate(stream, 1):
                if number == 1:
                    _check_not_utf16(path, line)
                    line = line.removeprefix(b"\xef\xbb\xbf")
                try:
                    yield number, line.decode()
                except UnicodeDecodeError as error:
                    raise DataError(
                        f"{path} is not UTF-8: byte {offset + error.start:,} (line {number:,}) is 0x"
                        f"{line[error.start]:02X}, {error.reason}. Convert it, for example with `iconv -f WINDOWS-1252 "
                        "-t UTF-8`, naming the encoding that it has."
                    ) from error
                offset += len(line)
        except (EOFError, OSError) as error:
            raise DataError(f"{path} cannot be read after byte {offset:,}: {error}. Is it truncated?") from error


def _opened(path: Path) -> BinaryIO:
    codec = COMPRESSIONS.get(path.suffix)
    if codec is None:
        return path.open("rb")
    import io

    import pyarrow

    return io.BufferedReader(pyarrow.input_stream(str(path), compression=codec))


def _check_not_utf16(path: Path, line: bytes) -> None:
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path} is UTF-16, not UTF-8. Convert it with `iconv -f UTF-16 -t UTF-8`.")


# ---- lines to rows --------------------------------------------------------------------------------------------------


def _text(path: Path) -> Iterator[Row]:
    passage: list[str] = []
    size = 0
    for _, line in _lines(path):
        line = line.replace("\r\n", "\n")
        passage.append(line)
        size += len(line.encode())
        if size >= PASSAGE_BYTES and not line.strip():
            yield {"text": "".join(passage).strip("\n")}
            passage, size = [], 0
    if size:
        yield {"text": "".join(passage).strip("\n")}


def _jsonl(path: Path) -> Iterator[Row]:
    for number, line in _lines(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            column = (
                f", column {error.colno:,}: {error.msg}" if isinstance(error, json.JSONDecodeError) else f": {error}"
            )
            raise DataError(
                f"Line {number:,} of {path} is not JSON{column}. Every line of a .jsonl file is one JSON object; the "
                "line may be cut short, or the object may stand on several lines (`jq -c .` joins them)."
            ) from error
        if not isinstance(row, dict):
            raise DataError(
                f"Line {number:,} of {path} is a JSON {type(row).__name__}, not an object: a line looks like "
                '{"text": "..."}.'
            )
        if "\\ud" in line.lower():
            _check_surrogates(path, number, row)
        yield row


def _check_surrogates(path: Path, number: int, row: Row) -> None:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"Line {number:,} of {path} holds half of a surrogate pair ({error.object[error.start]!a}), which is no "
            "character and cannot be written as UTF-8. Leave the escape out, or write U+FFFD in its place."
        ) from error


def _csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(_LARGEST_FIELD)  # a document may be longer than the 128 KiB that the module allows
    lines = (line for _, line in _lines(path))
    header_line = next(lines, "")
    delimiter = max(",;\t", key=header_line.count)
    reader = csv.reader(_chained(header_line, lines), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) < len(header):
            raise DataError(f"{path} names a column twice in its first line: {', '.join(header)}. Rename one of them.")
        for record in reader:
            if record and len(record) != len(header):
                raise DataError(
                    f"The record that ends on line {reader.line_num:,} of {path} has {len(record)} fields, and the "
                    f"first line names {len(header)} columns. A field that holds {delimiter!r} or a line end must "
                    'stand in double quotes, and a double quote in it is written twice ("").'
                )
            if record:
                yield dict(zip(header, record, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{path} is malformed at line {reader.line_num:,}: {error}. A double quote that opens a field must close "
            'it, and a double quote in a field is written twice ("").'
        ) from error


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _conll(path: Path) -> Iterator[Row]:
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in _lines(path):
        fields = line.split()
        if fields and fields[0] != "-DOCSTART-":
            if len(fields) < 2:
                raise DataError(
                    f"Line {number:,} of {path} holds one field: a token and its tag are needed on each line."
                )
            tokens.append(fields[0])
            tags.append(fields[-1])
        elif tokens:
            yield {"tokens": tokens, "tags": tags}
            tokens, tags = [], []
    if tokens:
        yield {"tokens": tokens, "tags": tags}


# ---- parquet --------------------------------------------------------------------------------------------------------


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet

    try:
        table: Any = pyarrow.parquet.ParquetFile(path)
        for batch in table.iter_batches(batch_size=1024):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable parquet file: {error}. Is it truncated?") from error


#: How the last part of a file's name says that it is compressed.
COMPRESSIONS: Final[dict[str, str]] = {".gz": "gzip", ".zst": "zstd"}

#: Format by the file's name -> rows.
FORMATS: Final[dict[str, Callable[[Path], Iterator[Row]]]] = {
    ".txt": _text,
    ".md": _text,
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _jsonl,
    ".conll": _conll,
    ".bio": _conll,
    ".parquet": _parquet,
}
