"""What the verbs share that take one text, or a file and write another: their options, the progress, the report."""

__all__ = [
    "ChunkOption",
    "ColumnOption",
    "DeviceOption",
    "DtypeOption",
    "InputArgument",
    "ModelArgument",
    "OutputArgument",
    "PrefixOption",
    "SplitOption",
    "TruncateOption",
    "is_text",
    "named_columns",
    "open_rows",
    "over_file",
    "text_of",
]

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trivium.cli.console import emit, say
from trivium.errors import UsageError

if TYPE_CHECKING:
    from trivium.batch.job import Done, RowTask
    from trivium.data.sources import Source

ModelArgument = Annotated[str, typer.Argument(help="A folder, run, catalogue name or hub id.", show_default=False)]
InputArgument = Annotated[
    str | None,
    typer.Argument(
        help="A text (without it, standard input); or a .jsonl, .csv or .parquet file, a catalogue name, a hub id.",
        show_default=False,
        metavar="TEXT|FILE",
    ),
]
OutputArgument = Annotated[
    Path | None,
    typer.Argument(
        help="Of a file: where its rows go with their results (.jsonl, .csv, .tsv or .parquet).",
        show_default=False,
    ),
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option("--column", help="Which column is what: text=review. May be given several times.", show_default=False),
]
PrefixOption = Annotated[str, typer.Option(help="Goes before the names of the columns that are added.")]
SplitOption = Annotated[str | None, typer.Option(help="A part of the data, such as train or test.")]
TruncateOption = Annotated[
    bool,
    typer.Option("--truncate", help="Cut texts that are too long; without it they get no result and are counted."),
]
ChunkOption = Annotated[
    int | None, typer.Option(help="Rows at a time: after each so many the work is safe on the disk.", min=1)
]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ... The GPU if there is one.")]
DtypeOption = Annotated[str | None, typer.Option(help="float32, bfloat16 or float16. The file's own.")]

_PLAIN_SECONDS = 10.0


def is_text(given: str | None, output: Path | None) -> bool:
    """Whether what was typed is a text; or names a file, for which an output must be named too.

    Raises `UsageError` for a file without an output.
    """
    from trivium.data.formats import format_of

    if output is not None:
        if given is None:
            raise UsageError(f"There is nothing to read for {output}: name a file before it.")
        return False
    if given is None:
        return True
    looks = "\n" not in given and len(given) < 1000 and (format_of(Path(given)) is not None and " " not in given)
    if looks or _is_file(given):
        raise UsageError(f"{given} is a file: name the one to write after it, for example results.jsonl.")
    return True


def text_of(given: str | None, what: str = "text") -> str:
    """The text that was typed, or comes on standard input. Raises `UsageError` where there is none."""
    text = given
    if text is None and not sys.stdin.isatty():
        text = sys.stdin.read()
    if text is None or not text.strip():
        raise UsageError(f"There is no {what}: give it behind the model, or on standard input.")
    return text


def over_file(
    task: "RowTask", source: "Source", output: Path, columns: list[str] | None, prefix: str, as_json: bool
) -> None:
    """Do a task with every row of a source, and report."""
    from trivium.batch.job import run_job

    with _progress(output.name) as progress:
        finished = run_job(task, source, output, columns=named_columns(columns), prefix=prefix, progress=progress)
    emit(finished, as_json=as_json)


def open_rows(source: str | None, columns: list[str] | None, split: str | None) -> "Source":
    """A source of any columns: the task says which it needs."""
    from trivium.data.sources import open_source

    assert source is not None
    column = next(iter(named_columns(columns).values()), None) or _any_column(source)
    return open_source(source, split=split, column=column)


def named_columns(columns: list[str] | None) -> dict[str, str]:
    """Role -> column. Raises `UsageError` for what is not written role=column."""
    named = {}
    for each in columns or []:
        role, equals, column = each.partition("=")
        if not (equals and role and column):
            raise UsageError(f"--column {each} does not say which column is what: write --column text=review.")
        named[role] = column
    return named


def _any_column(source: str) -> str | None:
    """A column of a file: with one named, a file of any columns is opened, and the task says which it needs."""
    from trivium.data.formats import format_of, rows_of

    path = Path(source)
    if not path.is_file() or format_of(path) is None:
        return None
    return next(iter(next(rows_of(path), {})), None)


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):  # a text may be no path: too long, or with a zero byte in it
        return False


@contextlib.contextmanager
def _progress(title: str) -> Iterator["Callable[[Done], None]"]:
    """One live line on a terminal, a plain line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            line = bar.add_task(title, total=None)
            yield lambda done: bar.update(line, total=done.of, completed=done.rows)
        return
    said = [time.monotonic()]

    def plain(done: "Done") -> None:
        if time.monotonic() - said[0] >= _PLAIN_SECONDS:
            said[0] = time.monotonic()
            say(f"{title}: {done.rows:,} of {done.of:,} rows, {done.skipped:,} without a result, {done.seconds:,.0f} s")

    yield plain
