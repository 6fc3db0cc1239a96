import pytest

from trivium.data.columns import KINDS, check_column, kind_of, text_of
from trivium.errors import DataError

MESSAGES = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day"}]


@pytest.mark.parametrize("columns", KINDS, ids=" ".join)
def test_each_kind_is_seen_among_other_columns(columns: tuple[str, ...]) -> None:
    assert kind_of(["id", *columns, "date"], "x") == KINDS[columns]


def test_unknown_columns_are_listed() -> None:
    with pytest.raises(DataError, match=r"x has the columns 'body', 'date'.*`column`"):
        kind_of(["body", "date"], "x")


def test_a_missing_column_names_the_nearest() -> None:
    check_column("text", ["id", "text"], "x")
    with pytest.raises(DataError, match=r"no column 'txt': it has 'id', 'text'. Did you mean 'text'\?"):
        check_column("txt", ["id", "text"], "x")


@pytest.mark.parametrize(
    ("kind", "row", "text"),
    [
        ("text", {"text": "a b"}, "a b"),
        ("text/label", {"text": "a b", "label": 1}, "a b"),
        ("tokens/tags", {"tokens": ["a", "b"], "tags": ["O", "O"]}, "a b"),
        ("messages", {"messages": MESSAGES}, "Hello\n\nGood day"),
        ("prompt/completion", {"prompt": "a", "completion": "b"}, "a\nb"),
        ("text", {"text": None}, None),
        ("text", {"text": " \n"}, None),
    ],
)
def test_text_of_each_kind(kind: str, row: dict[str, object], text: str | None) -> None:
    assert text_of(kind, None, row, "x") == text


def test_a_named_column_wins() -> None:
    assert text_of("source/target", "source", {"source": "a", "target": "b"}, "x") == "a"


@pytest.mark.parametrize(
    ("kind", "column", "row", "message"),
    [
        ("source/target", None, {"source": "a", "target": "b"}, "is source/target data, not running text"),
        ("text", None, {"text": 3}, "is 3, of type int"),
        ("text", None, {"body": "a"}, "does not have what text data has"),
        ("text", "text", {"body": "a"}, "no column 'text': it has 'body'"),
    ],
)
def test_what_is_no_text_is_refused(kind: str, column: str | None, row: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        text_of(kind, column, row, "Row 7 of x")
