"""`trivium data preview`: what the model will see, objective by objective."""

__all__ = ["preview"]

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trivium.cli.console import JsonOption, emit, printable, say

if TYPE_CHECKING:
    from rich.text import Text

    from trivium.data.preview import Preview, Stretch
    from trivium.text.tokenizer import Tokenizer

#: The tokenizer that is trained for an objective where none is given: its family's kind.
_KINDS = {
    "causal": "bpe",
    "masked": "wordpiece",
    "next-sentence": "wordpiece",
    "sentence-order": "wordpiece",
    "span": "unigram",
    "denoising": "bpe-mask",
    "prefix": "unigram",
    "prefix-decoder": "bpe",
    "ul2": "unigram",
}
#: Its sizes, the first that the sample supports.
_VOCABULARIES = (4096, 2048, 1024, 512, 384, 300, 200, 150, 100)
_BAR = 40


def preview(
    source: Annotated[
        str, typer.Argument(help="A file, a folder, a name of the catalogue or an id of the hub.", show_default=False)
    ],
    objective: Annotated[
        list[str] | None,
        typer.Option("--objective", help="One of those that are shown without it; may be repeated."),
    ] = None,
    length: Annotated[int, typer.Option("--length", help="Tokens of a row.")] = 128,
    rows: Annotated[int, typer.Option("--rows", help="How many rows to show.")] = 2,
    documents: Annotated[int, typer.Option("--documents", help="How many documents to read.")] = 500,
    tokenizer: Annotated[
        Path | None,
        typer.Option("--tokenizer", help="A folder with tokenizer.json. By default a small one is trained."),
    ] = None,
    whole_word: Annotated[bool, typer.Option("--whole-word", help="Mask whole words.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="The seed of order and masks.")] = 0,
    column: Annotated[str | None, typer.Option("--column", help="The column to read as running text.")] = None,
    split: Annotated[str | None, typer.Option("--split", help="A part of the data, such as train or test.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the model will see: rows as text with the loss mask, lengths, cuts, and how full the rows are."""
    from trivium.data.documents import InMemoryDocuments
    from trivium.data.preview import preview as preview_of
    from trivium.data.sources import open_source
    from trivium.errors import UsageError
    from trivium.objectives import registry

    if min(rows, documents) < 1:
        raise UsageError("--rows and --documents must be at least 1.")
    texts = list(islice(open_source(source, column=column, split=split).documents(), documents))
    shown = []
    fitting = [name for name in registry.OBJECTIVES if len(texts) > 1 or name != "next-sentence"]
    for name in objective or fitting:
        chosen = _tokenizer(name, tokenizer, texts)
        options = {"whole_word": True} if whole_word and name == "masked" else {}
        made = registry.objective(name, chosen, length, **options)
        shown.append(preview_of(name, made, InMemoryDocuments(chosen.encode_batch(texts)), chosen, rows, seed))
    emit({"source": source, "objectives": shown}, as_json=as_json, human=_drawn(shown))


def _tokenizer(objective: str, folder: Path | None, texts: Sequence[str]) -> "Tokenizer":
    from trivium.errors import DataError
    from trivium.objectives.registry import OBJECTIVES
    from trivium.text.tokenizer import Tokenizer
    from trivium.text.training import train_tokenizer

    if folder is not None:
        return Tokenizer.load(folder)
    kind = _KINDS[objective if objective in OBJECTIVES else "causal"]
    for vocabulary in _VOCABULARIES:
        try:
            trained = train_tokenizer(kind, texts, vocabulary)
        except DataError:
            if vocabulary == _VOCABULARIES[-1]:
                raise
        else:
            say(
                f"{objective}: with a {kind} tokenizer of {vocabulary:,} ids, trained on these {len(texts):,} documents"
            )
            return trained
    raise AssertionError("unreachable")


def _drawn(previews: Sequence["Preview"]) -> object:
    from rich.console import Console, Group
    from rich.text import Text

    console = Console()
    coloured = console.is_terminal and not console.no_color
    parts: list[Text] = []
    for shown in previews:
        parts.append(
            Text(f"{shown.objective}, rows of {' and '.join(f'{size:,}' for size in shown.capacity)} tokens", "bold")
        )
        parts.extend(Text(line) for line in _counts(shown))
        mark = "coloured" if coloured else "in braces"
        parts.append(
            Text(f"  the loss is taken where the text is {mark}; a bar parts documents that do not see each other")
        )
        for number, row in enumerate(shown.rows, start=1):
            parts.append(Text(f"  row {number}: {row.input_tokens:,} tokens read, {row.target_tokens:,} asked for"))
            parts.append(_line("    inputs   ", row.inputs, coloured))
            parts.append(_line("    targets  ", row.targets, coloured))
        parts.append(Text())
    return Group(*parts[:-1])


def _counts(shown: "Preview") -> Iterator[str]:
    yield (
        f"  {shown.documents:,} documents, {shown.tokens:,} tokens: from {shown.shortest:,} to {shown.longest:,}, "
        f"half of them up to {shown.median:,.0f}"
    )
    fill = " and ".join(
        f"{share:.1%} of {side}" for share, side in zip(shown.fill, ("the inputs", "the targets"), strict=False)
    )
    yield (
        f"  {shown.windows:,} rows of {shown.pieces:,} pieces use {fill}; {shown.cut:,} documents are cut, "
        "no token is dropped"
    )
    most = max(count for _, _, count in shown.histogram)
    widest = len(f"{shown.histogram[-1][1]:,}")
    for low, high, count in shown.histogram:
        bar = "#" * round(_BAR * count / most)
        yield f"    {low:>{widest},} to {high:>{widest},} tokens {count:>8,} {bar}".rstrip()


def _line(head: str, stretches: Sequence["Stretch"], coloured: bool) -> "Text":
    """One side of a row on one line, the asked stretches in colour or in braces, a bar where a document ends."""
    from rich.text import Text

    line = Text.assemble((head, "dim"))
    before = 1
    for stretch in stretches:
        if stretch.document != before:
            line.append(" | ", "bold")
        before = stretch.document
        text = printable(stretch.text).replace("\n", "\\n").replace("\t", "\\t")
        if not stretch.asked:
            line.append(text)
        elif coloured:
            line.append(text, "black on yellow")
        else:
            space = " " if text.startswith(" ") else ""
            line.append(f"{space}{{{text.strip()}}}")
    return line
