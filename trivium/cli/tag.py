"""`trivium tag`: what each word of a text is, and the names in it; or in every row of a file."""

__all__ = ["tag"]

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
    over_file,
    text_of,
)


def tag(
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
    """Find the names in a text, or in every row of a file.

    Of a file, column text is read, and entities and words are added: each with its characters in the text, its label
    and its score. A job that was stopped goes on by the same command.
    """
    single = is_text(text, output)

    from trivium.batch.tasks import TaggedTexts
    from trivium.language_model import load

    if single:
        found = load(model, device, dtype).tag(text_of(text), truncate=truncate)
        spans = found.entities or found.words
        rows = [(span.text, span.label, span.start, span.end, span.score) for span in spans]
        emit(found, as_json=as_json, human=Table(("text", "label", "start", "end", "score"), rows))
        return
    assert text is not None
    assert output is not None
    task = TaggedTexts(load(model, device, dtype), truncate, chunk_rows or TaggedTexts.chunk_rows)
    over_file(task, text, output, column, prefix, split, as_json)
