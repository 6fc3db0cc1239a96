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
    named_columns,
    open_rows,
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
    and its score. Of a file with a column of words, tokens, a label for each is added: predicted_tags. A job that was
    stopped goes on by the same command.
    """
    single = is_text(text, output)

    from trivium.batch.labels import TaggedTexts, TaggedTokens
    from trivium.language_model import load

    if single:
        found = load(model, device, dtype).tag(text_of(text), truncate=truncate)
        spans = found.entities or found.words
        rows = [(span.text, span.label, span.start, span.end, span.score) for span in spans]
        emit(found, as_json=as_json, human=Table(("text", "label", "start", "end", "score"), rows))
        return
    assert output is not None
    source = open_rows(text, column, split)
    words = "tokens" in named_columns(column) or ("text" not in source.columns and "tokens" in source.columns)
    made = TaggedTokens if words and "text" not in named_columns(column) else TaggedTexts
    task = made(load(model, device, dtype), truncate, chunk_rows or made.chunk_rows)
    over_file(task, source, output, column, prefix, as_json)
