"""`trivium classify`: what a text is, or every row of a file."""

__all__ = ["classify"]

from trivium.cli.console import JsonOption, Table, emit
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


def classify(
    model: ModelArgument,
    text: InputArgument = None,
    output: OutputArgument = None,
    column: ColumnOption = None,
    prefix: PrefixOption = "",
    split: SplitOption = None,
    truncate: TruncateOption = False,
    chunk_rows: ChunkOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a text is, or what every row of a file is.

    Of a file, columns text and (for pairs read together) text_b are read, and predicted_label, score and scores are
    added. A job that was stopped goes on by the same command.
    """
    single = is_text(text, output)

    from trivium.batch.labels import Classes
    from trivium.language_model import load

    if single:
        found = load(model, device, dtype).classify(text_of(text), truncate=truncate)
        scores = sorted(found.scores.items(), key=lambda item: -item[1])
        emit(found, as_json=as_json, human=Table(("label", "score"), scores))
        return
    assert output is not None
    rows = open_rows(text, column, split)
    task = Classes(load(model, device, dtype), truncate, chunk_rows or Classes.chunk_rows)
    over_file(task, rows, output, column, prefix, as_json)
