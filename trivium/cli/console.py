"""Printing: for a person, a table or lines; for a program, one JSON document as the last line of stdout.

Results and answers go to stdout, everything said along the way to stderr. Text that users or models wrote is printed
as it is: never parsed as markup, and with control characters spelled out, so that it cannot move the cursor.
"""

__all__ = ["JsonOption", "emit", "json_document", "printable", "say", "table"]

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:  # rich takes longer to import than the whole help takes to print
    from rich.console import Console, RenderableType
    from rich.table import Table

#: The option `--json`, the same on every verb that reports: `def verb(as_json: JsonOption = False)`.
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document as the last line of stdout.")]

#: Where the output is no terminal nothing is wrapped or cut: a line stays a line for `grep`.
_UNWRAPPED_COLUMNS = 100_000


def emit(result: object, *, as_json: bool, human: "RenderableType | None" = None) -> None:
    """Print a verb's result on stdout: `human` (by default `str(result)`), or the JSON document of `result`."""
    if as_json:
        sys.stdout.write(json_document(result) + "\n")
    else:
        _print(sys.stdout, str(result) if human is None else human)
    sys.stdout.flush()


def say(message: "RenderableType") -> None:
    """Say something to the person at the terminal (on stderr), beside the result."""
    _print(sys.stderr, message)


def json_document(result: object) -> str:
    """One line of strict JSON: results by their `to_dict()`, numbers that are not finite as null, paths as text."""
    return json.dumps(_plain(result), allow_nan=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> "Table":
    """A table of text and numbers: numbers to the right, whole ones with separators, None as an empty cell."""
    from rich.table import Table
    from rich.text import Text

    cells = [list(row) for row in rows]
    made = Table(title=None if title is None else Text(title), title_justify="left", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | None) for row in cells) and bool(cells)
        made.add_column(Text(column, style="bold"), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        made.add_row(*(Text(_cell(value)) for value in row))
    return made


def printable(text: str) -> str:
    r"""The text with control characters spelled out (`\x1b`); line breaks and tabs stay."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", text)


def _print(stream: TextIO, renderable: "RenderableType") -> None:
    if isinstance(renderable, str):
        stream.write(printable(renderable) + "\n")
    elif stream.isatty():
        _console(stream, width=None).print(renderable)
    else:
        console = _console(stream, width=_UNWRAPPED_COLUMNS)
        with console.capture() as capture:
            console.print(renderable)
        stream.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))


def _console(stream: TextIO, width: int | None) -> "Console":
    from rich.console import Console

    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return printable(str(value))


def _plain(value: object) -> object:
    """What JSON can hold of a value."""
    if hasattr(value, "to_dict"):
        return _plain(value.to_dict())
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, str | bool | None):
        return value
    if hasattr(value, "tolist"):  # numpy's and torch's numbers and arrays
        return _plain(value.tolist())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Iterable):
        return [_plain(entry) for entry in value]
    return str(value)
