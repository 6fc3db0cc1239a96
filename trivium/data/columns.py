"""What the columns of a table say it is, and the text in a row.

text                                   running text                    messages                    a conversation
text, label                            classification                  prompt, completion          instruction
tokens, tags                           a label for each word           prompt, chosen, rejected    preference
source, target                         one text into another           question, answers           questions
"""

__all__ = ["KINDS", "TEXT_OF", "check_column", "kind_of", "text_of"]

from collections.abc import Callable, Iterable
from typing import Final

from trivium.data.readers import Row
from trivium.errors import DataError, nearest

#: Columns that decide -> kind; the first line whose columns are all there wins.
KINDS: Final[dict[tuple[str, ...], str]] = {
    ("messages",): "messages",
    ("prompt", "chosen", "rejected"): "prompt/chosen/rejected",
    ("prompt", "completion"): "prompt/completion",
    ("question", "context", "answers"): "question/context/answers",
    ("question", "answers"): "question/answers",
    ("tokens", "tags"): "tokens/tags",
    ("tokens", "ner_tags"): "tokens/tags",
    ("source", "target"): "source/target",
    ("text", "label"): "text/label",
    ("text",): "text",
}


def _messages(row: Row) -> str:
    return "\n\n".join(str(message["content"]) for message in row["messages"])


#: Kinds that are also running text -> the text of a row. The others are asked for a column.
TEXT_OF: Final[dict[str, Callable[[Row], object]]] = {
    "text": lambda row: row["text"],
    "text/label": lambda row: row["text"],
    "tokens/tags": lambda row: " ".join(row["tokens"]),
    "messages": _messages,
    "prompt/completion": lambda row: f"{row['prompt']}\n{row['completion']}",
}


def kind_of(columns: Iterable[str], where: str) -> str:
    """What rows of these columns are. Raises `DataError` where the columns say nothing."""
    there = list(columns)
    for deciding, kind in KINDS.items():
        if set(deciding) <= set(there):
            return kind
    known = "; ".join(", ".join(deciding) for deciding in KINDS)
    raise DataError(
        f"{where} has the columns {_listed(there)}, which are not of any kind that Trivium knows ({known}). Rename its "
        "columns, or name the one that holds the text (`column`)."
    )


def check_column(column: str, columns: Iterable[str], where: str) -> None:
    """Raise `DataError` where a column is not there, naming those that are and the nearest."""
    there = list(columns)
    if column not in there:
        raise DataError(f"{where} has no column '{column}': it has {_listed(there)}.{nearest(column, there)}")


def text_of(kind: str, column: str | None, row: Row, where: str) -> str | None:
    """The text of a row, None where it is empty. Raises `DataError` where the row holds something else."""
    if column is None and kind not in TEXT_OF:
        raise DataError(
            f"{where} is {kind} data, not running text. Name the column to read as text (`column`), or use the "
            "source for the task that it is made for."
        )
    if column is not None and column not in row:
        check_column(column, row, where)
    try:
        text = row[column] if column is not None else TEXT_OF[kind](row)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{where}: a row does not have what {kind} data has ({type(error).__name__}: {error})."
        ) from error
    if text is not None and not isinstance(text, str):
        raise DataError(
            f"{where}: the text of a row is {text!r:.60}, of type {type(text).__name__}. A text column holds strings."
        )
    return text if text and text.strip() else None


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f"'{column}'" for column in columns) or "none"
