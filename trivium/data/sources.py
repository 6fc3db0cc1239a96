"""Open any source of data by one word: a file, a folder, a name of the catalogue, or an id of the hub.

    "corpus.txt"  "rows.jsonl.gz"  "folder/"      files of the formats in `formats.py`
    "news"                                        an entry of the catalogue, fetched on first use
    "owner/dataset"                               a data set of the hub, streamed by the `datasets` library

The columns decide what the data is (`columns.py`), and `describe` says what was detected. Of a folder with a file or
folder named "train", that split is read unless another is asked for.
"""

__all__ = ["Description", "Source", "open_source"]

import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from trivium.data import catalogue
from trivium.data.columns import TEXT_OF, check_column, kind_of, text_of
from trivium.data.formats import COMPRESSIONS, FORMATS, PASSAGE_BYTES, format_of, rows_of
from trivium.data.hub import HubTable, open_hub
from trivium.data.packages import default_cache
from trivium.data.readers import Row
from trivium.errors import DataError, nearest
from trivium.files import sha256_of

_HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class Description:
    """What was detected in a source, without reading it whole."""

    reference: str
    origin: str
    kind: str
    columns: tuple[str, ...]
    text_column: str | None
    split: str | None
    files: tuple[str, ...]
    left_out_files: int
    bytes: int | None
    documents_are: str
    sample: str

    def to_dict(self) -> dict[str, Any]:
        """Every field."""
        return asdict(self)

    def __str__(self) -> str:
        size = f", {self.bytes / 1e6:,.1f} MB" if self.bytes is not None else ""
        left_out = f" ({self.left_out_files} files of other formats left out)" if self.left_out_files else ""
        split = f", split {self.split}" if self.split else ""
        lines = [
            f"{self.reference}: {self.origin}, {self.kind}{split}",
            f"  files      {len(self.files):,}{size}{left_out}",
            f"  columns    {', '.join(self.columns)}",
            f"  documents  {self.documents_are}",
            f"  first      {self.sample}",
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Source:
    """An opened source: rows, or documents of running text, as often as wanted, in bounded memory."""

    reference: str
    origin: str
    kind: str
    columns: tuple[str, ...]
    column: str | None
    split: str | None
    files: tuple[Path, ...]
    left_out_files: int
    table: HubTable | None = None

    def rows(self) -> Iterator[Row]:
        """Every row, in the order of the files."""
        if self.table is not None:
            return self.table.rows()
        return itertools.chain.from_iterable(rows_of(file) for file in self.files)

    def documents(self) -> Iterator[str]:
        """Every document that is not empty.

        Raises `DataError` where a row holds no text, where the data is of a kind that is not running text, and at the
        end where there was no document at all.
        """
        count = 0
        for number, row in enumerate(self.rows(), 1):
            text = text_of(self.kind, self.column, row, f"Row {number:,} of {self.reference}")
            if text is not None:
                count += 1
                yield text
        if not count:
            raise DataError(f"{self.reference} is an empty corpus: there is no document with a character in it.")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what `documents` gives: of the files' contents, the column, and how text files are cut."""
        seal = hashlib.sha256(f"{self.kind} {self.column} {PASSAGE_BYTES}".encode())
        for file in self.files:
            seal.update(f"{format_of(file)} {sha256_of(file)}".encode())
        if self.table is not None:
            seal.update(self.table.revision.encode())
        return seal.hexdigest()

    @property
    def bytes(self) -> int | None:
        """Size of the files on the disk; None for the hub's."""
        return None if self.table is not None else sum(file.stat().st_size for file in self.files)

    def describe(self) -> Description:
        """What was detected."""
        first = next(self.documents(), "") if self.column or self.kind in TEXT_OF else str(next(self.rows()))
        return Description(
            reference=self.reference,
            origin=self.origin,
            kind=self.kind,
            columns=self.columns,
            text_column=self.column,
            split=self.split,
            files=tuple(file.name for file in self.files),
            left_out_files=self.left_out_files,
            bytes=self.bytes,
            documents_are=self._documents_are(),
            sample=" ".join(first[:200].split())[:100],
        )

    def _documents_are(self) -> str:
        formats = {format_of(file) for file in self.files}
        if formats & {".txt", ".md"}:
            return f"a text file, or passages of it cut at the first blank line after {PASSAGE_BYTES:,} bytes"
        if self.column:
            return f"column '{self.column}' of a row"
        return "rows" if self.kind in TEXT_OF else f"rows of {self.kind}; name a column to read one as running text"


def open_source(
    reference: str | Path, *, column: str | None = None, split: str | None = None, cache: Path | None = None
) -> Source:
    """Open a file, a folder, a name of the catalogue or an id of the hub, and detect what it holds.

    `column` names the column to read as running text, `split` a part of the data. Raises `DataError` where nothing is
    there, where it is empty or of no known format, or where the column or the split is not there; `UnavailableError`
    where it would have to be fetched and cannot be.
    """
    name = str(reference)
    path = Path(reference)
    cache = default_cache() if cache is None else cache
    if path.is_dir():
        return _open_folder(name, "folder", path, column, split)
    if path.is_file():
        return _open_files(name, "file", [_known_format(path)], 0, column, split=None)
    if name in catalogue.ENTRIES:
        entry = catalogue.ENTRIES[name]
        if entry.read is None:
            raise DataError(f"{name} is {entry.about}: {entry.kind}, not data to read.")
        return _open_folder(name, "catalogue", catalogue.get(name, cache), column, split)
    if _HUB_ID.fullmatch(name) and format_of(path) is None and not path.parent.is_dir():
        table = open_hub(name, split or "train", cache)
        return _detected(name, "hub", column, split or "train", (), 0, table.rows, table)
    raise _missing(path)


def _open_folder(name: str, origin: str, folder: Path, column: str | None, split: str | None) -> Source:
    every = sorted(file for file in folder.rglob("*") if file.is_file() and not _hidden(file.relative_to(folder)))
    files = [file for file in every if format_of(file)]
    if not files:
        raise DataError(f"{name} holds no file of {_formats()}, among {len(every)} files.")
    splits = sorted({part for file in files for part in _parts(file.relative_to(folder))})
    wanted = split or ("train" if "train" in splits else None)
    if wanted is not None:
        files = [file for file in files if wanted in _parts(file.relative_to(folder))]
        if not files:
            raise DataError(f"{name} has no split '{wanted}': it has {', '.join(splits)}.{nearest(wanted, splits)}")
    return _open_files(name, origin, files, len(every) - len(files), column, wanted)


def _open_files(
    name: str, origin: str, files: list[Path], left_out: int, column: str | None, split: str | None
) -> Source:
    def rows() -> Iterator[Row]:
        return itertools.chain.from_iterable(rows_of(file) for file in files)

    return _detected(name, origin, column, split, tuple(files), left_out, rows, None)


def _detected(
    name: str,
    origin: str,
    column: str | None,
    split: str | None,
    files: tuple[Path, ...],
    left_out: int,
    rows: Callable[[], Iterator[Row]],
    table: HubTable | None,
) -> Source:
    first = next(rows(), None)
    if first is None:
        raise DataError(f"{name} is an empty corpus: there is no row in it.")
    if column is not None:
        check_column(column, first, name)
    kind = "text" if column is not None else kind_of(first, name)
    return Source(name, origin, kind, tuple(first), column, split, files, left_out, table)


def _missing(path: Path) -> DataError:
    folder = path.parent
    if folder.is_dir():
        beside = [file.name for file in folder.iterdir()]
        near = nearest(path.name, beside) or nearest(str(path), catalogue.ENTRIES)
        return DataError(
            f"There is no file or folder {path}, and no such name in the catalogue (`trivium data list`).{near} A data "
            "set of the hub is written owner/name."
        )
    existing = next(parent for parent in folder.absolute().parents if parent.is_dir())
    return DataError(f"There is no {path}: the folder {existing} exists, and nothing below it on the way.")


def _known_format(path: Path) -> Path:
    if format_of(path) is None:
        raise DataError(f"{path} is of no format that Trivium reads, which are {_formats()}. Rename or convert it.")
    return path


def _formats() -> str:
    return f"{' '.join(FORMATS)} (and {' '.join(COMPRESSIONS)} of all but parquet)"


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _parts(path: Path) -> set[str]:
    """The folders of a path and its name up to the first mark: what may name a split ("train-00000.parquet")."""
    return {*path.parts[:-1], re.split(r"[.-]", path.name)[0]}
