"""`trivium embed`: a vector for a text, or for every row of a file."""

__all__ = ["embed"]

from typing import Annotated, Any

import typer

from trivium.cli.console import JsonOption, emit
from trivium.cli.over_file import (
    ChunkOption,
    ColumnOption,
    DeviceOption,
    DtypeOption,
    InputArgument,
    ModelArgument,
    OutputArgument,
    PrefixOption,
    SplitOption,
    TruncateOption,
    is_text,
    open_rows,
    over_file,
    text_of,
)
from trivium.errors import UsageError, nearest


def embed(
    model: ModelArgument,
    text: InputArgument = None,
    output: OutputArgument = None,
    pooling: Annotated[
        str | None, typer.Option(help="mean, first or last: which hidden states. As the model's folder says.")
    ] = None,
    normalize: Annotated[
        bool | None, typer.Option("--normalize/--no-normalize", help="Scale to length 1. As the model's folder says.")
    ] = None,
    column: ColumnOption = None,
    prefix: PrefixOption = "",
    split: SplitOption = None,
    truncate: TruncateOption = False,
    chunk_rows: ChunkOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a vector of a text, or of every row of a file, so that texts of like meaning lie near each other.

    Of a file, column text is read, and vector is added. A job that was stopped goes on by the same command.
    """
    single = is_text(text, output)
    poolings = ("mean", "first", "last")
    if pooling is not None and pooling not in poolings:
        raise UsageError(
            f"--pooling is {pooling!r}, and must be one of {', '.join(poolings)}.{nearest(pooling, poolings)}"
        )
    given: dict[str, Any] = {"pooling": pooling, "normalize": normalize}
    options = {name: value for name, value in given.items() if value is not None}

    from trivium.batch.vectors import Vectors
    from trivium.language_model import load

    lm = load(model, device, dtype)
    if single:
        vector = lm.embed([text_of(text)], truncate=truncate, **options)[0].tolist()
        emit({"vector": vector}, as_json=as_json, human=" ".join(f"{number:.6g}" for number in vector))
        return
    assert output is not None
    rows = open_rows(text, column, split)
    task = Vectors(lm, truncate, chunk_rows or Vectors.chunk_rows, options=options)
    over_file(task, rows, output, column, prefix, as_json)
