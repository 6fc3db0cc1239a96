"""Printing: for a person, a table or lines; for a program, one JSON document as the last line of stdout.

Results and answers go to stdout, everything said along the way to stderr. Text that users or models wrote is printed
as it is: never parsed as markup, and with control characters spelled out, so that it cannot move the cursor.

What is printed is a text, a `Table`, or anything that rich can draw. Rich itself is imported when it draws: it takes
longer to import than the whole help takes to print.
"""

__all__ = ["JsonOption", "Lines", "Page", "Table", "emit", "json_document", "printable", "say"]

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

#: The option `--json`, the same on every verb that reports: `def verb(as_json: JsonOption = False)`.
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document as the last line of stdout.")]

#: Where the output is no terminal nothing is wrapped or cut: a line stays a line for `grep`.
_UNWRAPPED_COLUMNS = 100_000


@dataclass(frozen=True)
class Table:
    """Named columns of text and numbers.

    Numbers align to the right; whole ones get separators of thousands, others four significant digits. None is an
    empty cell, a truth value is yes or no.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str | None = None

    def __rich__(self) -> object:
        from rich.table import Table as Drawn
        from rich.text import Text

        title = None if self.title is None else Text(printable(self.title), style="bold")
        drawn = Drawn(title=title, title_justify="left", box=None, pad_edge=False)
        for index, column in enumerate(self.columns):
            numbers = all(isinstance(row[index], int | float | None) for row in self.rows)
            drawn.add_column(Text(column), justify="right" if numbers else "left", overflow="fold")
        for row in self.rows:
            drawn.add_row(*(Text(_cell(value)) for value in row))
        return drawn


@dataclass(frozen=True)
class Lines:
    """Words, and beside each what is said of it, folded under itself."""

    said: Sequence[tuple[str, str]]

    def __rich__(self) -> object:
        from rich.table import Table as Grid
        from rich.text import Text

        drawn = Grid.grid(padding=(0, 2))
        drawn.add_column(style="bold")
        drawn.add_column(overflow="fold")
        for word, text in self.said:
            drawn.add_row(Text(printable(word)), Text(printable(text)))
        return drawn


@dataclass(frozen=True)
class Page:
    """Texts, tables and lines below each other, an empty line between them."""

    parts: Sequence[str | Table | Lines]

    def __rich__(self) -> object:
        from rich.console import Group
        from rich.text import Text

        drawn: list[Any] = []
        for part in self.parts:
            if drawn:
                drawn.append(Text())
            drawn.append(Text(printable(part)) if isinstance(part, str) else part)
        return Group(*drawn)


def emit(result: object, *, as_json: bool, human: object = None) -> None:
    """Print a verb's result on stdout: `human` (by default `str(result)`), or the JSON document of `result`."""
    if as_json:
        sys.stdout.write(json_document(result) + "\n")
    else:
        sys.stdout.write(_drawn(str(result) if human is None else human, on_terminal=sys.stdout.isatty()))
    sys.stdout.flush()


def say(message: object) -> None:
    """Say something to the person at the terminal (on stderr), beside the result."""
    sys.stderr.write(_drawn(message, on_terminal=sys.stderr.isatty()))


def json_document(result: object) -> str:
    """One line of strict JSON: results by their `to_dict()`, numbers that are not finite as null, paths as text."""
    return json.dumps(_jsonable(result), allow_nan=False)


def printable(text: str) -> str:
    r"""The text with control characters spelled out (`\x1b`); line breaks and tabs stay."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", text)


def _drawn(message: object, *, on_terminal: bool) -> str:
    if isinstance(message, str):
        return printable(message) + "\n"
    from rich.console import Console

    width = None if on_terminal else _UNWRAPPED_COLUMNS
    console = Console(force_terminal=on_terminal, width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as drawn:
        console.print(message)
    return "".join(line.rstrip() + "\n" for line in drawn.get().splitlines())


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


def _jsonable(value: object) -> object:
    """What JSON can hold of a value."""
    if hasattr(value, "to_dict"):
        return _jsonable(value.to_dict())
    if isinstance(value, Mapping):
        return {str(key): _jsonable(entry) for key, entry in value.items()}
    if isinstance(value, str | bool | None):
        return value
    if hasattr(value, "tolist"):  # numpy's and torch's numbers and arrays
        return _jsonable(value.tolist())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Iterable):
        return [_jsonable(entry) for entry in value]
    return str(value)
