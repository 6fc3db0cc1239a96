"""Every kind of row becomes an example; what is none is counted, or said where it stands."""

import json
from pathlib import Path
from typing import Any

import pytest

from trivium.data.example_reader import read_examples
from trivium.data.examples import Conversation, LabelledText, Preference, Question, TaggedWords, TextPair
from trivium.errors import DataError, UsageError


def written(folder: Path, *rows: dict[str, Any], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


OUT_OF_ORDER = "roles out of order: after a system's message, if any, user and assistant speak in turn"


def said(*roles: str) -> dict[str, Any]:
    """A conversation in which these speak."""
    return {"messages": [{"role": role, "content": role} for role in roles]}


@pytest.mark.parametrize(
    ("row", "form", "example"),
    [
        ({"text": "good", "label": "positive"}, "classification", LabelledText("good", "positive")),
        ({"text": "good", "label": 1}, "classification", LabelledText("good", "1")),
        ({"text": "good", "label": 0.5}, "regression", LabelledText("good", 0.5)),
        ({"text": "good", "label": ["a", "b", "a"]}, "multi-label", LabelledText("good", ("a", "b"))),
        ({"text": "good", "label": []}, "multi-label", LabelledText("good", ())),
        ({"text": "x", "text_b": "y", "label": "no"}, "classification", LabelledText(("x", "y"), "no")),
        ({"tokens": ["Ada", "met"], "tags": ["B-PER", "O"]}, "tagging", TaggedWords(("Ada", "met"), ("B-PER", "O"))),
        ({"tokens": ["Ada"], "ner_tags": [3]}, "tagging", TaggedWords(("Ada",), ("3",))),
        ({"source": "a", "target": "b"}, "text-to-text", TextPair("a", ("b",))),
        ({"prompt": "a", "completion": "b"}, "text-to-text", TextPair("a", ("b",))),
        ({"question": "a", "answers": ["b", "c"]}, "text-to-text", TextPair("a", ("b", "c"))),
        (
            {"question": "who?", "context": "Ada met Bob", "answers": {"text": ["Bob"], "answer_start": [8]}},
            "extraction",
            Question("who?", "Ada met Bob", ("Bob",), (8,)),
        ),
        (
            {"question": "who?", "context": "Ada met Bob", "answers": ["Bob"]},
            "extraction",
            Question("who?", "Ada met Bob", ("Bob",), (8,)),
        ),
        (
            {"question": "who?", "context": "Ada met Bob", "answers": [{"text": "Ada", "start": 0}]},
            "extraction",
            Question("who?", "Ada met Bob", ("Ada",), (0,)),
        ),
        ({"question": "who?", "context": "Rain", "answers": []}, "extraction", Question("who?", "Rain", (), ())),
        (
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
            "conversation",
            Conversation((("user", "a"), ("assistant", "b"))),
        ),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "preference", Preference((("user", "a"),), "b", "c")),
        (
            {
                "prompt": [{"role": "user", "content": "a"}],
                "chosen": [{"role": "assistant", "content": "b"}],
                "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}],
            },
            "preference",
            Preference((("user", "a"),), "b", "c"),
        ),
    ],
)  # fmt: skip
def test_a_row_of_each_kind(row: dict[str, Any], form: str, example: object, tmp_path: Path) -> None:
    examples = read_examples(written(tmp_path, row))
    assert (examples.form, examples.examples) == (form, (example,))


def test_the_two_texts_of_a_pair_by_their_usual_names(tmp_path: Path) -> None:
    path = written(tmp_path, {"premise": "p", "hypothesis": "h", "label": "no", "text": "p h"})
    assert read_examples(path).examples == (LabelledText(("p", "h"), "no"),)


def test_columns_of_other_names(tmp_path: Path) -> None:
    path = written(tmp_path, {"review": "good", "stars": 5})
    examples = read_examples(path, columns={"text": "review", "label": "stars"})
    assert examples.examples == (LabelledText("good", "5"),)


def test_another_column_of_tags(tmp_path: Path) -> None:
    path = written(tmp_path, {"tokens": ["Ada"], "tags": ["B-PER"], "pos_tags": ["NNP"]})
    assert read_examples(path, columns={"tags": "pos_tags"}).examples == (TaggedWords(("Ada",), ("NNP",)),)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": " ", "label": "x"}, "no text"),
        ({"text": "a", "label": None}, "no label"),
        ({"text": "a", "label": float("nan")}, "no label"),
        ({"text": "a" * 1_000_001, "label": "x"}, "a text of more than 1,000,000 characters"),
        ({"tokens": ["a"], "tags": ["O", "O"]}, "another number of tags than of words"),
        ({"tokens": ["a", " "], "tags": ["O", "O"]}, "an empty word"),
        ({"question": "q", "context": "c", "answers": ["b"]}, "an answer that is not in the context"),
        (
            {"question": "q", "context": "c b", "answers": {"text": ["b"], "answer_start": [0]}},
            "an answer that does not stand where it is said to",
        ),
        ({"source": "a", "target": ""}, "no target"),
        ({"prompt": "a", "chosen": "b", "rejected": "b"}, "a chosen answer that is the rejected one"),
        ({"prompt": "a", "chosen": "", "rejected": "b"}, "no chosen answer"),
        (
            {"prompt": said("user", "assistant")["messages"], "chosen": "b", "rejected": "c"},
            "no turn of the user before the answers",
        ),
        (said("user"), "no answer of the assistant at the end"),
        (said(), "no answer of the assistant at the end"),
        (said("user", "assistant", "assistant"), OUT_OF_ORDER),
        (said("user", "system", "assistant"), OUT_OF_ORDER),
        (said("assistant"), OUT_OF_ORDER),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": " "}]}, "no content"),
    ],
)
def test_rows_that_are_no_example_are_counted(row: dict[str, Any], reason: str, tmp_path: Path) -> None:
    good = {
        "label": {"text": "a", "label": "x"},
        "tags": {"tokens": ["a"], "tags": ["O"]},
        "answers": {"question": "q", "context": "c b", "answers": ["b"]},
        "target": {"source": "a", "target": "b"},
        "chosen": {"prompt": "a", "chosen": "b", "rejected": "c"},
        "messages": said("system", "user", "assistant", "user", "assistant"),
    }
    path = written(tmp_path, next(one for key, one in good.items() if key in row), row, row)
    examples = read_examples(path)
    assert (len(examples), examples.skipped) == (1, {reason: 2})


def test_no_example_at_all_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no example of text/label: of its rows are left out 1 with no text"):
        read_examples(written(tmp_path, {"text": "", "label": "x"}))


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        ([{"text": "running"}], {}, "is text data, of which nothing is right or wrong"),
        ([{"text": "a", "label": "x"}], {"label": "stars"}, "has no column 'stars'"),
        ([{"text": "a", "label": "x"}, {"text": 5, "label": "x"}], {}, "Row 2 of .* the text is 5, of type int"),
        (
            [{"text": "a", "label": "x"}, {"text": "b", "label": ["y"]}],
            {},
            "labels of several forms: 1 lists, 0 numbers",
        ),
        ([{"text": "a", "label": "x"}, {"label": "y"}], {}, r"Row 2 of .* \(KeyError: 'text'\)"),
    ],
)
def test_a_source_that_is_wrong(rows: list[dict[str, Any]], columns: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read_examples(written(tmp_path, *rows), columns=columns)


def test_an_unknown_role(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no role 'lable'.* Did you mean 'label'"):
        read_examples(written(tmp_path, {"text": "a", "label": "x"}), columns={"lable": "label"})


def test_broken_bytes_are_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a", "label": "x"}\n{"text": "\xff", "label": "x"}\n')
    with pytest.raises(DataError, match=r"rows\.jsonl"):
        read_examples(path)
