"""What a source holds: its rows, its columns and their types."""

import datetime
from pathlib import Path

import pyarrow
import pyarrow.parquet

from trivium.batch.survey import survey
from trivium.data.sources import open_source


def test_types_are_those_that_all_rows_have(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"text": "a", "n": 1, "x": 1, "ok": true, "tags": ["O"], "odd": 1, "deep": [[1]], "big": 1}\n'
        '{"text": null, "n": 2, "x": 0.5, "ok": true, "tags": [], "odd": "b", "deep": [], "big": 9999999999999999999}\n'
        '{"text": "c", "late": {"a": 1}, "none": null}\n'
    )
    found = survey(open_source(path, column="text"))
    assert found.rows == 3
    assert found.columns == ("text", "n", "x", "ok", "tags", "odd", "deep", "big", "late", "none")
    assert found.types == {
        "text": pyarrow.string(),
        "n": pyarrow.int64(),
        "x": pyarrow.float64(),
        "ok": pyarrow.bool_(),
        "tags": pyarrow.list_(pyarrow.string()),
    }


def test_large_whole_numbers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    large = 2**53 + 1
    path.write_text(
        f'{{"text": "a", "id": {large}, "mixed": {large}, "all": [{large}]}}\n{{"text": "b", "id": 1, "mixed": 0.5}}\n'
    )
    found = survey(open_source(path, column="text")).types
    assert found["id"] == pyarrow.int64()
    assert found["all"] == pyarrow.list_(pyarrow.int64())
    assert "mixed" not in found  # no type of numbers holds both: the cells are text


def test_a_parquet_file_says_its_own(tmp_path: Path) -> None:
    table = pyarrow.table({"text": ["a"], "day": [datetime.date(2024, 2, 29)], "n": pyarrow.array([1], pyarrow.int8())})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    found = survey(open_source(tmp_path / "rows.parquet", column="text"))
    assert found.types == {"text": pyarrow.string(), "day": pyarrow.date32(), "n": pyarrow.int8()}
