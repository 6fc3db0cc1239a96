"""The run of a task over every row of a source: in bounded memory, killed and resumed to the same bytes.

    source ── chunk of rows ── task ── results ── journal ── ... ── rows with results ── output

Chunks begin at the same rows whether a job was stopped or not, so every row is computed in the same company, and the
numbers are the same to the last bit (on the same machine with as many threads).
"""

__all__ = ["Done", "Finished", "RowTask", "run_job"]

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from trivium.batch.journal import SKIPPED, Journal, open_journal
from trivium.batch.output import check_output, write_output
from trivium.batch.survey import Survey, survey
from trivium.data.columns import check_column
from trivium.data.readers import Row
from trivium.data.sources import Source
from trivium.errors import DataError, TriviumError, UsageError, nearest
from trivium.files import atomic_write, sha256_of
from trivium.versions import versions


@runtime_checkable
class RowTask(Protocol):
    """What is done with the rows of a file."""

    @property
    def roles(self) -> Mapping[str, bool]:
        """What a row must have (True) and may have (False), by the columns' usual names."""

    @property
    def types(self) -> Mapping[str, Any]:
        """The columns that it adds, with pyarrow's types."""

    @property
    def described(self) -> Mapping[str, Any]:
        """Everything that decides its results, as JSON has it."""

    @property
    def chunk_rows(self) -> int:
        """The rows that it takes at once."""

    def refused(self, row: Row) -> str | None:
        """Why a row cannot be done ("no text"), or None. Takes roles for columns, as `results` does."""

    def results(self, rows: Sequence[Row], first: int) -> list[dict[str, Any]]:
        """What it makes of rows, as JSON has it; `first` is the place of the first in the source, from 0."""


@dataclass(frozen=True)
class Done:
    """How far a job is."""

    rows: int
    of: int
    skipped: int
    seconds: float


@dataclass(frozen=True)
class Finished:
    """A finished job: its rows, those without a result by reason with the number of the first, and what it took.

    `seconds` are those of the task, over all starts; `resumed_rows` were there when this start began.
    """

    output: str
    rows: int
    skipped: Mapping[str, int]
    first_skipped: Mapping[str, int]
    cut: int
    resumed_rows: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    def __str__(self) -> str:
        done = self.rows - sum(self.skipped.values())
        rate = f" ({self.rows / self.seconds:,.1f} rows/s)" if self.seconds else ""
        lines = [f"{self.output}: {done:,} of {self.rows:,} rows in {self.seconds:,.1f} s{rate}"]
        if self.resumed_rows:
            lines[0] += f"; {self.resumed_rows:,} were there already"
        if self.cut:
            lines.append(f"  cut to fit: {self.cut:,}")
        lines += [
            f"  without a result: {count:,} with {reason} (the first is row {self.first_skipped[reason]:,})"
            for reason, count in self.skipped.items()
        ]
        return "\n".join(lines)


def run_job(
    task: RowTask,
    source: Source,
    output: Path,
    *,
    columns: Mapping[str, str] | None = None,
    prefix: str = "",
    progress: Callable[[Done], None] | None = None,
) -> Finished:
    """Do a task with every row of a source and write the rows with their results.

    `columns` names the column of a role where it has another name, `prefix` goes before the names of the columns that
    are added. Beside the output stands `<output>.job.json`: what was done with what. The same call after a kill goes
    on; after the end it does nothing and returns what was found.

    Raises `UsageError` for an unknown role, a column that would be overwritten, an output of another job; `DataError`
    for a source that cannot be read to its end or has no such column; `StorageError` where the disk is full.
    """
    named = _columns(task, source, dict(columns or {}))
    job = {
        **task.described,
        "chunk_rows": task.chunk_rows,
        "columns": named,
        "prefix": prefix,
        "source": _fingerprint(source),
        "trivium": versions()["trivium"],
    }
    job = json.loads(json.dumps(job))  # as the journal gives it back
    record = output.with_name(f"{output.name}.job.json")
    if (finished := _finished(record, output, job)) is not None:
        return finished
    check_output(output)
    there = survey(source)
    added = {prefix + name: kind for name, kind in task.types.items()}
    _check_free([*added, prefix + SKIPPED], there, prefix)
    with open_journal(output.with_name(f"{output.name}.partial"), job) as journal:
        resumed = journal.rows
        for _ in _chunks(task, source, named, journal):
            if progress is not None:
                progress(Done(journal.rows, there.rows, journal.skipped.total(), journal.seconds))
        import pyarrow

        if _fingerprint(source) != job["source"]:
            raise DataError(
                f"{source.reference} changed while it was read: its first {journal.rows:,} rows have results that may "
                "be of others. Copy what it should be to a place where nothing changes it, and start there."
            )
        types = {**there.types, **added, prefix + SKIPPED: pyarrow.string()}
        names = [*there.columns, *added, prefix + SKIPPED]
        write_output(output, _joined(source, journal, [*task.types, SKIPPED], prefix), names, types)
        finished = Finished(
            str(output),
            journal.rows,
            dict(journal.skipped),
            journal.first_skipped,
            journal.cut,
            resumed,
            journal.seconds,
        )
        atomic_write(record, json.dumps({"job": job, **finished.to_dict()}, indent=2, ensure_ascii=False) + "\n")
        journal.remove()
    return finished


def _chunks(task: RowTask, source: Source, named: Mapping[str, str], journal: Journal) -> Iterator[None]:
    """Do one chunk after the other from where the journal ends."""
    rows = itertools.islice(source.rows(), journal.rows, None)
    empty = dict.fromkeys(task.types)
    while chunk := list(itertools.islice(rows, task.chunk_rows)):
        start = time.perf_counter()
        asked = [{role: row.get(column) for role, column in named.items()} for row in chunk]
        reasons = [task.refused(row) for row in asked]
        taken = [row for row, reason in zip(asked, reasons, strict=True) if reason is None]
        try:
            results = iter(task.results(taken, journal.rows) if taken else ())
        except TriviumError as error:
            raise type(error)(
                f"Among rows {journal.rows + 1:,} to {journal.rows + len(chunk):,} of {source.reference}: {error} The "
                "rows before are kept."
            ) from error
        done = [
            {**next(results), SKIPPED: None} if reason is None else {**empty, SKIPPED: reason} for reason in reasons
        ]
        journal.append(done, time.perf_counter() - start)
        yield


def _joined(source: Source, journal: Journal, names: Sequence[str], prefix: str) -> Iterator[Row]:
    """Every row with its result."""
    for row, result in zip(source.rows(), journal.results(), strict=True):
        yield {**row, **{prefix + name: result[name] for name in names}}


# ---- what is asked for, and whether it can be ----------------------------------------------------------------------


def _columns(task: RowTask, source: Source, named: dict[str, str]) -> dict[str, str]:
    """The column of each role: as it is said, or of the role's own name."""
    for role in named:
        if role not in task.roles:
            raise UsageError(
                f"There is no role '{role}' of a column here; there are {', '.join(task.roles)}."
                f"{nearest(role, task.roles)}"
            )
    columns = {}
    for role, needed in task.roles.items():
        column = named.get(role, role)
        if role in named or needed:
            try:
                check_column(column, source.columns, source.reference)
            except DataError as error:
                way = "" if role in named else f" Name the one that holds the {role}: `--column {role}=...`."
                raise DataError(f"{error}{way}") from error
        if column in source.columns:
            columns[role] = column
    return columns


def _check_free(added: Sequence[str], there: Survey, prefix: str) -> None:
    taken = [name for name in added if name in there.columns]
    if taken:
        raise UsageError(
            f"The source has a column '{taken[0]}' already, which the results would overwrite. Give theirs "
            "another beginning: `--prefix model_`."
        )


def _fingerprint(source: Source) -> list[list[str]]:
    """The name and the SHA-256 of every file, or the hub's name and revision."""
    files = [[file.name, sha256_of(file)] for file in source.files]
    return files if source.table is None else [[source.reference, source.table.revision]]


def _finished(record: Path, output: Path, job: Mapping[str, Any]) -> Finished | None:
    """What the record of a finished job says, where it is this one."""
    if not (record.is_file() and output.is_file()):
        return None
    try:
        said = json.loads(record.read_text(encoding="utf-8"))
    except ValueError:
        return None
    if said.pop("job", None) != job:
        return None
    found = Finished(**said)
    return replace(found, resumed_rows=found.rows)
