"""`trivium translate`: a text in other words, or every row of a file: another language, a summary, an answer."""

__all__ = ["translate"]

from dataclasses import replace
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
    is_text,
    over_file,
    text_of,
)


def translate(
    model: ModelArgument,
    text: InputArgument = None,
    output: OutputArgument = None,
    before: Annotated[
        str, typer.Option(help="Words before each text that say what to do: 'translate English to French: '.")
    ] = "",
    max_tokens: Annotated[int | None, typer.Option(help="End after so many tokens.")] = None,
    temperature: Annotated[float, typer.Option(help="0 is greedy: always the most probable token.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Draw the same again.")] = 0,
    stop: Annotated[list[str] | None, typer.Option(help="End before this text; may be given several times.")] = None,
    column: ColumnOption = None,
    prefix: PrefixOption = "",
    split: SplitOption = None,
    chunk_rows: ChunkOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a text anew: in another language, shorter, or as the answer to it.

    Of a file, column source is read; translation, finish_reason and logprob are added. A job that was stopped goes on
    by the same command.
    """
    single = is_text(text, output)
    given: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed, "stop": stop or None}
    options = {name: value for name, value in given.items() if value is not None}

    from trivium.batch.tasks import Translations
    from trivium.language_model import load

    task = Translations(load(model, device, dtype), before=before, options=options)
    if single:
        found = task.lm.generate(before + text_of(text), **options)
        emit(found, as_json=as_json)
        return
    assert text is not None
    assert output is not None
    task = replace(task, chunk_rows=chunk_rows or task.chunk_rows)
    over_file(task, text, output, column, prefix, split, as_json)
