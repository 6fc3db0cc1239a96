"""`trivium export`: a model as other programs open it, judged by the parity gate."""

__all__ = ["export"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trivium.cli.console import JsonOption, Table, emit, say

if TYPE_CHECKING:
    from trivium.evaluate.parity import Parity


def export(
    model: Annotated[
        str, typer.Argument(help="A folder of a model, a run or an adapter; a hub id.", show_default=False)
    ],
    to: Annotated[Path, typer.Option("--to", help="The folder or file to write.", show_default=False)],
    form: Annotated[
        str, typer.Option("--format", help="hf: a Hugging Face folder; gguf: a file for llama.cpp.")
    ] = "hf",
    dtype: Annotated[
        str | None,
        typer.Option(help="float32, bfloat16 (hf), float16, q8_0 (gguf). The model's own; of a gguf, float16."),
    ] = None,
    shard_gb: Annotated[float | None, typer.Option(help="No file of weights larger than so many GB (hf).")] = None,
    merge: Annotated[bool, typer.Option("--merge", help="MODEL is an adapter: write it and its base as one.")] = False,
    base: Annotated[str | None, typer.Option(help="The adapter's base, where it is not where it was.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a model as other programs open it, and check that it still says the same.

    What was written is read again and compared with the model on probe texts: logits, first choices, tokenizer, chat
    template. Past the bound of its precision the export fails, and stands aside as NAME.rejected. See docs/export.md.
    """
    from trivium.export import export_model

    shard_bytes = None if shard_gb is None else round(shard_gb * 1e9)
    done = export_model(model, to, form, dtype, shard_bytes, force, merge, base)
    if not as_json:
        say(f"{done.target}: {done.form}, {done.dtype}, {done.bytes / 1e6:,.1f} MB, in {done.seconds:.1f} s")
    emit(done, as_json=as_json, human=_table(done.parity))


def _table(parity: "Parity") -> Table:
    rows = [(check.what, check.value, check.bound, check.passed) for check in parity.checks]
    return Table(("check", "value", "bound", "passed"), rows)
