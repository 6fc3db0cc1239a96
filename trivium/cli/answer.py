"""`trivium answer`: the part of a text that answers a question, or that of every row of a file."""

__all__ = ["answer"]

from typing import Annotated

import typer

from trivium.cli.console import JsonOption, Lines, emit
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
    open_rows,
    over_file,
    text_of,
)
from trivium.errors import UsageError


def answer(
    model: ModelArgument,
    context: InputArgument = None,
    output: OutputArgument = None,
    question: Annotated[str | None, typer.Option(help="What is asked of a text.", show_default=False)] = None,
    max_tokens: Annotated[int, typer.Option(help="The longest answer, in tokens.", min=1)] = 15,
    or_none: Annotated[
        bool, typer.Option("--or-none", help="Say nothing where that there is no answer is more probable.")
    ] = False,
    column: ColumnOption = None,
    prefix: PrefixOption = "",
    split: SplitOption = None,
    chunk_rows: ChunkOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the answer to a question in a text, or those to the questions of a file in its texts.

    Of a file, columns question and context are read; answer, its characters start and end in the context, score and
    no_answer are added. A long context is read in windows. A job that was stopped goes on by the same command.
    """
    single = is_text(context, output)
    if single and question is None:
        raise UsageError('There is no question: say --question "Who ...?".')
    if not single and question is not None:
        raise UsageError("The questions come from the file, in its column question: leave --question out.")

    from trivium.batch.labels import Answers
    from trivium.language_model import load

    lm = load(model, device, dtype)
    if single:
        assert question is not None
        found = lm.answer(question, text_of(context), max_tokens=max_tokens, or_none=or_none)
        said = (
            ("answer", str(found)),
            ("characters", f"{found.start} to {found.end}"),
            ("score", f"{found.score:.3f}"),
        )
        emit(found, as_json=as_json, human=Lines((*said, ("no answer", f"{found.no_answer:.3f}"))))
        return
    assert output is not None
    rows = open_rows(context, column, split)
    task = Answers(lm, chunk_rows=chunk_rows or Answers.chunk_rows, max_tokens=max_tokens, or_none=or_none)
    over_file(task, rows, output, column, prefix, as_json)
