"""Examples from any source: what its columns say, which rows are left out and why.

A row that is no example is an error where the whole source may be wrong (a column that is not there), and a counted
skip where only the row is: no text, no label, an answer that is not in the context.
"""

__all__ = ["ROLES", "read_examples"]

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, cast

from trivium.data.columns import check_column, kind_of
from trivium.data.examples import (
    Conversation,
    Example,
    Examples,
    Form,
    LabelledText,
    Preference,
    Question,
    TaggedWords,
    Text,
    TextPair,
)
from trivium.data.readers import Row
from trivium.data.sources import open_source
from trivium.errors import DataError, UsageError, nearest

#: What a column may be for: `columns={"label": "stars"}` reads the label from the column "stars".
ROLES: Final = (
    "text", "text_b", "label", "tokens", "tags", "question", "context", "answers", "source", "target", "prompt",
    "completion", "messages", "chosen", "rejected",
)  # fmt: skip
#: Names of the second text of a pair, beside `text_b`; with each the name of the first.
_PAIRS: Final = (("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"))
_MAX_CHARACTERS: Final = 1_000_000


class _SkippedError(Exception):
    """The row is no example, for the reason that is said."""


def read_examples(
    source: str | Path,
    *,
    split: str | None = None,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    cache: Path | None = None,
) -> Examples:
    """The examples of a file, a folder, a name of the catalogue or a hub id; of its first `limit` rows.

    `columns` names the column of a role where it has another name. A label that is a list makes the form multi-label,
    a number with a fraction regression. Raises `DataError` where the columns make no examples, where labels are of
    several forms, and where no row is left; `UsageError` for an unknown role.
    """
    named = dict(columns or {})
    for role in named:
        if role not in ROLES:
            raise UsageError(
                f"There is no role '{role}' of a column; there are {', '.join(ROLES)}.{nearest(role, ROLES)}"
            )
    opened = open_source(source, split=split, cache=cache, column=next(iter(named.values()), None))
    where = f"{source}" if opened.split is None else f"{source} ({opened.split})"
    for column in named.values():
        check_column(column, opened.columns, where)
    kind = _kind(_renamed(dict.fromkeys(opened.columns), named), where)
    read = _READERS[kind]
    examples: list[Example] = []
    skipped: Counter[str] = Counter()
    for number, row in enumerate(itertools.islice(opened.rows(), limit), 1):
        try:
            examples.append(read(_renamed(row, named)))
        except _SkippedError as skip:
            skipped[str(skip)] += 1
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"Row {number:,} of {where} is no example of {kind} ({type(error).__name__}: {error}). Mend it."
            ) from error
    if not examples:
        reasons = "; ".join(f"{count:,} with {reason}" for reason, count in skipped.items())
        raise DataError(f"{where} holds no example of {kind}: of its rows are left out {reasons}.")
    form = _form(examples, where)
    return Examples(form, tuple(examples), where, dict(skipped))


def _renamed(row: Row, named: Mapping[str, str]) -> Row:
    taken = {role: row[column] for role, column in named.items() if column in row}
    for first, second in _PAIRS:
        if first in row and second in row and "text" not in named:
            taken = {"text": row[first], "text_b": row[second], **taken}
    return {**row, **taken}


def _kind(row: Row, where: str) -> str:
    kind = kind_of(row, where)
    if kind not in _READERS:
        raise DataError(
            f"{where} is {kind} data, of which nothing is right or wrong. Examples have the columns of one of: "
            f"{'; '.join(_READERS)}; name those that hold them (`--column label=stars`)."
        )
    return kind


def _form(examples: list[Example], where: str) -> Form:
    first = examples[0]
    if isinstance(first, TaggedWords):
        return "tagging"
    if isinstance(first, Question):
        return "extraction"
    if isinstance(first, TextPair):
        return "text-to-text"
    if isinstance(first, Conversation):
        return "conversation"
    if isinstance(first, Preference):
        return "preference"
    labels = [cast(LabelledText, example).label for example in examples]
    several, numbers = (sum(isinstance(label, kind) for label in labels) for kind in (tuple, float))
    if several == len(labels):
        return "multi-label"
    if numbers == len(labels):
        return "regression"
    if several or numbers:
        raise DataError(
            f"{where} has labels of several forms: {several:,} lists, {numbers:,} numbers with a fraction and "
            f"{len(labels) - several - numbers:,} names. Make them all of one form."
        )
    return "classification"


# ---- a row of each kind --------------------------------------------------------------------------------------------


def _text(value: object, what: str) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _SkippedError(f"no {what}")
    if not isinstance(value, str):
        raise TypeError(f"the {what} is {value!r:.60}, of type {type(value).__name__}, not a string")
    if len(value) > _MAX_CHARACTERS:
        raise _SkippedError(f"a {what} of more than {_MAX_CHARACTERS:,} characters")
    return value


def _label(value: object) -> str | tuple[str, ...] | float:
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(str(each) for each in value))
    if isinstance(value, float) and not math.isfinite(value):
        raise _SkippedError("no label")
    if isinstance(value, float):
        return value
    if value is None or not str(value).strip():
        raise _SkippedError("no label")
    return str(value)


def _labelled(row: Row) -> Example:
    first = _text(row["text"], "text")
    text: Text = (first, _text(row["text_b"], "second text")) if "text_b" in row else first
    return LabelledText(text, _label(row["label"]))


def _tagged(row: Row) -> Example:
    words, tags = row["tokens"], row["tags"] if "tags" in row else row["ner_tags"]
    if not words:
        raise _SkippedError("no word")
    if len(words) != len(tags):
        raise _SkippedError("another number of tags than of words")
    if not all(isinstance(word, str) and word.strip() for word in words):
        raise _SkippedError("an empty word")
    return TaggedWords(tuple(words), tuple(str(tag) for tag in tags))


def _extraction(row: Row) -> Example:
    question, context = _text(row["question"], "question"), _text(row["context"], "context")
    answers, starts = _answers(row["answers"], context)
    kept = [(answer, start) for answer, start in zip(answers, starts, strict=True) if answer]
    if any(context[start : start + len(answer)] != answer for answer, start in kept if start >= 0):
        raise _SkippedError("an answer that does not stand where it is said to")
    found = [(answer, start) for answer, start in kept if start >= 0]
    if kept and not found:
        raise _SkippedError("an answer that is not in the context")
    return Question(question, context, tuple(a for a, _ in found), tuple(s for _, s in found))


def _answers(value: object, context: str) -> tuple[list[str], list[int]]:
    """SQuAD's `{"text": [...], "answer_start": [...]}`, a list of `{"text", "start"}`, or texts to be looked for."""
    if isinstance(value, Mapping):
        return [str(text) for text in value["text"]], [int(start) for start in value["answer_start"]]
    each: Iterable[object] = [value] if isinstance(value, str) else cast(Iterable[object], value or [])
    answers, starts = [], []
    for one in each:
        answers.append(str(one["text"]) if isinstance(one, Mapping) else str(one))
        starts.append(int(one["start"]) if isinstance(one, Mapping) else context.find(answers[-1]))
    return answers, starts


def _pair(source: str, target: str) -> Callable[[Row], Example]:
    def read(row: Row) -> Example:
        targets = [row[target]] if isinstance(row[target], str) or row[target] is None else list(row[target])
        said = tuple(str(text) for text in targets if text is not None and str(text).strip())
        if not said:
            raise _SkippedError(f"no {target}")
        return TextPair(_text(row[source], source), said)

    return read


def _conversation(row: Row) -> Example:
    turns = _turns(row["messages"])
    if not turns or turns[-1][0] != "assistant":
        raise _SkippedError("no answer of the assistant at the end")
    return Conversation(turns)


def _turns(messages: Iterable[Mapping[str, object]]) -> tuple[tuple[str, str], ...]:
    turns = tuple((str(message["role"]), _text(message["content"], "content")) for message in messages)
    spoken = [role for role, _ in turns[1 if turns and turns[0][0] == "system" else 0 :]]
    if any(role != ("user", "assistant")[place % 2] for place, role in enumerate(spoken)):
        raise _SkippedError("roles out of order: after a system's message, if any, user and assistant speak in turn")
    return turns


def _preference(row: Row) -> Example:
    prompt = row["prompt"]
    turns = (("user", _text(prompt, "prompt")),) if isinstance(prompt, str) or not prompt else _turns(prompt)
    if turns[-1][0] != "user":
        raise _SkippedError("no turn of the user before the answers")
    chosen, rejected = (_answer(row[name], name) for name in ("chosen", "rejected"))
    if chosen == rejected:
        raise _SkippedError("a chosen answer that is the rejected one")
    return Preference(turns, chosen, rejected)


def _answer(value: object, what: str) -> str:
    """A text, or messages of which the last is the assistant's."""
    if isinstance(value, str) or not value:
        return _text(value, f"{what} answer")
    last = list(cast(Iterable[Mapping[str, object]], value))[-1]
    if last["role"] != "assistant":
        raise _SkippedError(f"no {what} answer of the assistant at the end")
    return _text(last["content"], f"{what} answer")


_READERS: Final[Mapping[str, Callable[[Row], Example]]] = {
    "text/label": _labelled,
    "tokens/tags": _tagged,
    "question/context/answers": _extraction,
    "source/target": _pair("source", "target"),
    "prompt/completion": _pair("prompt", "completion"),
    "question/answers": _pair("question", "answers"),
    "messages": _conversation,
    "prompt/chosen/rejected": _preference,
}
