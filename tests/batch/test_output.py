"""Rows as files: each format gives back what was written."""

import csv
import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.batch.output import OUTPUTS, check_output, write_output
from trivium.data.formats import rows_of
from trivium.errors import StorageError, UsageError

TYPES = {"n": pyarrow.int64(), "x": pyarrow.float64(), "spans": pyarrow.list_(pyarrow.struct([("a", pyarrow.int64())]))}
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": _TEXTS,
            "n": st.integers(-(2**63), 2**63 - 1),
            "x": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "spans": st.lists(st.fixed_dictionaries({"a": st.integers(0, 9)}), max_size=2),
        }
    ),
    min_size=1,
    max_size=5,
)


@given(_ROWS)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    folder = tmp_path_factory.mktemp("rows")
    for suffix in OUTPUTS:
        write_output(folder / f"rows{suffix}", rows, list(rows[0]), TYPES)
    assert list(rows_of(folder / "rows.jsonl")) == rows
    assert list(rows_of(folder / "rows.parquet")) == rows
    for suffix, delimiter in ((".csv", ","), (".tsv", "\t")):
        with (folder / f"rows{suffix}").open(newline="", encoding="utf-8") as stream:
            read: list[dict[str, Any]] = list(csv.DictReader(stream, delimiter=delimiter))
        assert list(rows_of(folder / f"rows{suffix}")) == read
        for row in read:
            row |= {name: json.loads(row[name] or "null") for name in ("n", "x", "spans")}
        assert read == rows


def test_what_json_has_no_form_for_becomes_text(tmp_path: Path) -> None:
    row = {
        "day": datetime.date(2024, 2, 29),
        "at": datetime.time(1, 2),
        "price": decimal.Decimal("1.20"),
        "raw": b"\x00\xff",
    }
    row |= {"took": datetime.timedelta(seconds=90)}
    write_output(tmp_path / "rows.jsonl", [row], list(row), {})
    assert (tmp_path / "rows.jsonl").read_text() == (
        '{"day": "2024-02-29", "at": "01:02:00", "price": "1.20", "raw": "00ff", "took": "0:01:30"}\n'
    )


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        check_output(tmp_path / "rows.csv")
    with pytest.raises(UsageError, match=r"ends in '.xlsx', and there are .jsonl, .csv"):
        check_output(tmp_path / "rows.xlsx")


def test_a_place_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_output(tmp_path / "file" / "rows.csv", [], [], {})
    with pytest.raises(RuntimeError):
        write_output(tmp_path / "rows.csv", _broken(), ["a"], {})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _broken() -> Any:
    yield {"a": 1}
    raise RuntimeError
