"""`trivium data`: what data there is, fetching it, and what a source holds."""

__all__ = ["describe", "get", "list_entries"]

from typing import Annotated

import typer

from trivium.cli.console import JsonOption, Table, emit, say

_ColumnOption = Annotated[str | None, typer.Option("--column", help="The column to read as running text.")]
_SplitOption = Annotated[str | None, typer.Option("--split", help="A part of the data, such as train or test.")]


def list_entries(as_json: JsonOption = False) -> None:
    """List the catalogue: real text, labelled sets and weights that a package index carries."""
    from trivium.data.catalogue import ENTRIES

    rows = [(entry.name, entry.kind, entry.megabytes or None, entry.about) for entry in ENTRIES.values()]
    emit(list(ENTRIES.values()), as_json=as_json, human=Table(("name", "kind", "MB to fetch", "what"), rows))


def get(
    name: Annotated[str, typer.Argument(help="A name of `trivium data list`.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Fetch an entry of the catalogue into the cache, check its hash, and print its folder."""
    from trivium.data.catalogue import ENTRIES
    from trivium.data.catalogue import get as fetch_entry

    if name in ENTRIES and not as_json:
        say(f"{name}: {ENTRIES[name].about}; {ENTRIES[name].megabytes:g} MB, unless the cache has it")
    folder = fetch_entry(name)
    files = sorted(file.name for file in folder.iterdir())
    emit({"name": name, "folder": folder, "files": files}, as_json=as_json, human=f"{folder}: {', '.join(files)}")


def describe(
    source: Annotated[
        str, typer.Argument(help="A file, a folder, a name of the catalogue or an id of the hub.", show_default=False)
    ],
    column: _ColumnOption = None,
    split: _SplitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what was detected in a source: its kind, columns, files and first document."""
    from trivium.data.sources import open_source

    emit(open_source(source, column=column, split=split).describe(), as_json=as_json)
