"""`trivium tokenizer`: train one on any source, and report what one makes of a text."""

__all__ = ["report", "train"]

from pathlib import Path
from typing import Annotated

import typer

from trivium.cli.console import JsonOption, emit

_SourceArgument = Annotated[
    str, typer.Argument(help="A file, a folder, a name of the catalogue or an id of the hub.", show_default=False)
]
_ColumnOption = Annotated[str | None, typer.Option("--column", help="The column to read as running text.")]
_SplitOption = Annotated[str | None, typer.Option("--split", help="A part of the data, such as train or test.")]


def train(
    source: _SourceArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for tokenizer.json and its companions.")],
    kind: Annotated[
        str, typer.Option("--kind", help="bpe, bpe-mask (with RoBERTa's and BART's mask), wordpiece or unigram.")
    ] = "bpe",
    vocabulary: Annotated[int, typer.Option("--vocabulary", help="Number of ids, special tokens included.")] = 8192,
    column: _ColumnOption = None,
    split: _SplitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a tokenizer, save it as `transformers` opens it, and report its fertility on the same source."""
    from trivium.data.sources import open_source
    from trivium.text.fertility import fertility
    from trivium.text.training import train_tokenizer

    opened = open_source(source, column=column, split=split)
    tokenizer = train_tokenizer(kind, opened.documents(), vocabulary)
    tokenizer.save(out)
    result = fertility(tokenizer, opened.documents())
    shown = {"folder": out, "kind": kind, "fingerprint": tokenizer.fingerprint, "fertility": result.to_dict()}
    emit(shown, as_json=as_json, human=f"{tokenizer} saved in {out}\n{result}")


def report(
    tokenizer: Annotated[Path, typer.Argument(help="A folder with a tokenizer.json.", show_default=False)],
    source: _SourceArgument,
    column: _ColumnOption = None,
    split: _SplitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count what a tokenizer makes of a source: tokens per word, bytes per token, unknown ones, ids used."""
    from trivium.data.sources import open_source
    from trivium.text.fertility import fertility
    from trivium.text.tokenizer import Tokenizer

    loaded = Tokenizer.load(tokenizer)
    emit(fertility(loaded, open_source(source, column=column, split=split).documents()), as_json=as_json)
