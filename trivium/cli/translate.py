"""`trivium translate` and `trivium summarize`: a text from a text, or from every row of a file."""

__all__ = ["summarize", "translate"]

from collections.abc import Callable
from typing import Annotated

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


def _verb(kind: str, added: str, does: str) -> Callable[..., None]:
    """The verb of a kind of task, which adds a column of that name."""

    def write(
        model: ModelArgument,
        text: InputArgument = None,
        output: OutputArgument = None,
        task: Annotated[str | None, typer.Option(help="Which of the model's tasks, where it has several.")] = None,
        before: Annotated[
            str | None,
            typer.Option(
                help="For a model that knows no task: words before each text, 'translate English to French: '."
            ),
        ] = None,
        max_tokens: Annotated[int | None, typer.Option(help="End after so many tokens.")] = None,
        temperature: Annotated[float, typer.Option(help="0 is greedy: always the most probable token.")] = 0.0,
        seed: Annotated[int, typer.Option(help="Draw the same again.")] = 0,
        stop: Annotated[
            list[str] | None, typer.Option(help="End before this text; may be given several times.")
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
        single = is_text(text, output)
        given = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed, "stop": stop or None}
        options = {name: value for name, value in given.items() if value is not None}

        from trivium.batch.written import Written, text_task
        from trivium.language_model import load

        lm = load(model, device, dtype)
        chosen, rows = text_task(lm, kind, task, before), chunk_rows or Written.chunk_rows
        written = Written(lm, truncate, rows, task=chosen, added=added, options=options)
        if single:
            emit(written.completions([text_of(text)])[0], as_json=as_json)
            return
        assert output is not None
        over_file(written, open_rows(text, column, split), output, column, prefix, as_json)

    write.__doc__ = f"""{does} a text, or every row of a file.

    Of a file, column source is read; {added}, finish_reason and logprob are added. A job that was stopped goes on by
    the same command.
    """
    return write


translate = _verb("translation", "translation", "Translate")
summarize = _verb("summarization", "summary", "Summarize")
