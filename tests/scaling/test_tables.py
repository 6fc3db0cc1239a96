"""Every format gives the same points; every fault is named with its file, line, column and value."""

import json
import re
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from trivium.errors import DataError
from trivium.scaling import tables
from trivium.scaling.points import Point
from trivium.scaling.tables import Columns, read_table

ROWS = [
    {"params": 1e8, "tokens": 2e9, "flops": 1.3e18, "loss": 3.25, "run": "a"},
    {"params": 2e8, "tokens": 4e9, "flops": 5e18, "loss": 3.0, "run": "b"},
]
POINTS = [Point(1e8, 2e9, 1.3e18, 3.25, "a"), Point(2e8, 4e9, 5e18, 3.0, "b")]


def separated(separator: str) -> str:
    return "\n".join(separator.join(map(str, line)) for line in (ROWS[0], *(row.values() for row in ROWS))) + "\n"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", separated(",")),
        ("a.CSV", separated(";")),
        ("a.tsv", separated("\t")),
        ("a.csv", "\ufeff" + separated(",").replace("\n", "\r\n") + "\r\n"),
        ("a.jsonl", "\n".join(json.dumps(row) for row in ROWS) + "\n\n"),
        ("a.json", json.dumps(ROWS)),
        ("a.json", json.dumps([{name: str(value) for name, value in row.items()} for row in ROWS])),
    ],
)
def test_every_format_gives_the_same_points(name: str, content: str, tmp_path: Path) -> None:
    assert read_table(written(tmp_path, name, content)) == POINTS


def test_parquet(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet") == POINTS


def test_what_is_absent_follows_from_the_rest(tmp_path: Path) -> None:
    (of_tokens,) = read_table(written(tmp_path, "a.csv", "params,tokens,loss\n1e8,2e9,3\n"))
    (of_flops,) = read_table(written(tmp_path, "b.csv", "params,flops,loss\n1e8,1.2e18,3\n"))
    assert of_tokens == of_flops == Point(1e8, 2e9, 1.2e18, 3.0)


def test_columns_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "N,D,C,val/loss,name\n1e8,2e9,1.3e18,3.25,a\n2e8,4e9,5e18,3.0,b\n")
    assert read_table(path, Columns("N", "D", "C", "val/loss", "name")) == POINTS


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        ("parameters,tokens,loss\n1,1,1\n", Columns(), r"has no column 'params': .* mean 'parameters'\? .* --params"),
        ("params,tokens,lost\n1,1,1\n", Columns(), r"no column 'loss': .* mean 'lost'\?"),
        ("params,loss\n1,1\n", Columns(), r"no column 'tokens': it has 'params', 'loss'\."),
        ("params,tokens,loss\n1,1,1\n", Columns(flops="compute"), r"no column 'compute': .* with --flops COLUMN"),
        ("params,tokens,loss\n1,1,1\n", Columns(run="name"), r"no column 'name'"),
        ("params,tokens,loss\n1,1,1\n1,1,nan\n", Columns(), r", line 3, column 'loss': 'nan' is not a number\."),
        ("params,tokens,loss\n\n1,1,x\n", Columns(), r", line 3, column 'loss': 'x' is not a number\."),
        ("params,tokens,loss\n1,1,\n", Columns(), r", line 2, column 'loss': '' is not a number\."),
        ("params,tokens,loss\n-1,1,1\n", Columns(), r", line 2, column 'params': '-1' is not greater than zero\."),
        ("params,tokens,loss\n1,0,1\n", Columns(), r", line 2, column 'tokens': '0' is not greater than zero\."),
        ("params,tokens,loss\n1,inf,1\n", Columns(), r", line 2, column 'tokens': 'inf' is not finite\."),
        ("params,tokens,loss\n1,1\n", Columns(), r", line 2: 2 cells under a header of 3\."),
        ("params,tokens,loss\n", Columns(), r"holds no rows"),
        ("", Columns(), r"holds no rows"),
    ],
)
def test_a_fault_is_named(content: str, columns: Columns, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", content)
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}.*{said}"):
        read_table(path, columns)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"params": 1, "tokens": 1, "loss": 1}\n{"params": 1\n', "line 2 is not JSON: "),
        ("a.jsonl", '{"params": 1, "tokens": 1, "loss": true}\n', "line 1, column 'loss': True is not a number"),
        ("a.jsonl", '{"params": 1, "tokens": 1, "loss": 1}\n{"params": 1, "loss": 1}\n', "'tokens': None is not a"),
        ("a.jsonl", "[1]\n", "line 1 holds list, and a row is an object"),
        ("a.json", "{}", "holds dict, and a table is a list"),
        ("a.json", '[{"params": {}, "tokens": 1, "loss": 1}]', r"entry 1, column 'params': \{\} is not a number"),
        ("a.parquet", b"PAR1", "is not a parquet file that can be read"),
        ("a.csv", b"params\n\xff\n", r"is not UTF-8 \(byte 7\)"),
        ("a.xlsx", "", "its name must end in one of .csv, .tsv, .json, .jsonl, .parquet"),
    ],
)
def test_a_file_that_is_no_table(name: str, content: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read_table(written(tmp_path, name, content))


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_table(tmp_path / "folder.csv")


def test_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.csv", separated(","))
    monkeypatch.setattr(tables, "MOST_ROWS", 1)
    with pytest.raises(DataError, match="more than 1 rows"):
        read_table(path)
    monkeypatch.setattr(tables, "_MOST_BYTES", 10)
    with pytest.raises(DataError, match="bytes, over the limit of 10"):
        read_table(path)
