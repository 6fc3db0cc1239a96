import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trivium.data.sources import open_source
from trivium.errors import DataError, UnavailableError


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({"text": f"document {n}", "body": f"body {n}"}) + "\n" for n in range(5)))
    return file


def test_a_file(rows: Path) -> None:
    source = open_source(rows)
    assert source.kind == "text"
    assert list(source.documents()) == [f"document {n}" for n in range(5)]
    assert list(source.documents()) == list(source.documents())  # as often as wanted
    assert [row["body"] for row in source.rows()] == [f"body {n}" for n in range(5)]


def test_a_column_by_name(rows: Path) -> None:
    assert next(open_source(rows, column="body").documents()) == "body 0"
    with pytest.raises(DataError, match=r"no column 'bdy': it has 'text', 'body'. Did you mean 'body'\?"):
        open_source(rows, column="bdy")


def test_a_folder_is_its_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("second")
    (tmp_path / "a.txt").write_text("first")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.md").write_text("third")
    (tmp_path / "notes.pdf").write_text("no")
    (tmp_path / ".hidden.txt").write_text("no")
    source = open_source(tmp_path)
    assert list(source.documents()) == ["first", "second", "third"]
    assert source.describe().left_out_files == 1


def test_splits_of_a_folder(tmp_path: Path) -> None:
    for name in ("train-00000.jsonl", "train-00001.jsonl", "test.jsonl"):
        (tmp_path / name).write_text(json.dumps({"text": name}) + "\n")
    assert list(open_source(tmp_path).documents()) == ["train-00000.jsonl", "train-00001.jsonl"]
    assert open_source(tmp_path).split == "train"
    assert list(open_source(tmp_path, split="test").documents()) == ["test.jsonl"]
    with pytest.raises(DataError, match=r"no split 'tets': it has test, train. Did you mean 'test'\?"):
        open_source(tmp_path, split="tets")


def test_it_says_what_it_detected(rows: Path) -> None:
    described = open_source(rows).describe()
    assert described.kind == "text"
    assert described.columns == ("text", "body")
    assert described.sample == "document 0"
    assert described.bytes == rows.stat().st_size
    for word in (str(rows), "text, body", "document 0"):
        assert word in str(described)
    assert json.loads(json.dumps(described.to_dict()))["kind"] == "text"


def test_it_says_how_text_files_become_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo")
    assert "blank line" in str(open_source(tmp_path / "a.txt").describe())


def test_labelled_data_is_described_and_refused_as_text(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"source": "a", "target": "b"}\n')
    source = open_source(file)
    assert source.describe().kind == "source/target"
    with pytest.raises(DataError, match=r"Row 1 of .* is source/target data, not running text"):
        list(source.documents())
    assert list(open_source(file, column="target").documents()) == ["b"]


def test_the_fingerprint_is_of_the_content(rows: Path, tmp_path: Path) -> None:
    before = open_source(rows).fingerprint
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(rows.read_bytes())
    assert open_source(copy).fingerprint == before
    assert open_source(rows, column="body").fingerprint != before
    rows.write_text(rows.read_text().replace("document 3", "document X"))
    assert open_source(rows).fingerprint != before


def test_empty_rows_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,n\none,1\n"",2\n  ,3\ntwo,4\n')
    assert list(open_source(tmp_path / "a.csv").documents()) == ["one", "two"]


@pytest.mark.parametrize(("name", "content"), [("a.txt", ""), ("a.jsonl", "\n\n"), ("a.csv", "text\n"), ("a.csv", "")])
def test_an_empty_corpus(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match="is an empty corpus"):
        open_source(tmp_path / name)


@pytest.mark.parametrize(("name", "content"), [("a.txt", " \n\n"), ("a.jsonl", '{"text": ""}\n{"text": null}\n')])
def test_a_corpus_without_a_character(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match="is an empty corpus"):
        list(open_source(tmp_path / name).documents())


def test_what_is_missing_names_the_nearest(rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of files here are near, too
    with pytest.raises(DataError, match=r"no file or folder .*rosw\.jsonl.*Did you mean 'rows\.jsonl'\?"):
        open_source(tmp_path / "rosw.jsonl")
    with pytest.raises(DataError, match=r"Did you mean 'news'\?"):
        open_source("nwes")
    with pytest.raises(DataError, match=f"the folder {tmp_path} exists"):
        open_source(tmp_path / "no" / "such" / "rows.jsonl")
    with pytest.raises(DataError, match=r"no file or folder no/rows\.jsonl|exists, and nothing below"):
        open_source("no/rows.jsonl")


def test_an_unknown_format(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(DataError, match=r"of no format that Trivium reads, which are \.txt"):
        open_source(tmp_path / "a.pdf")
    with pytest.raises(DataError, match=r"holds no file of .* among 1 files"):
        open_source(tmp_path)


def test_a_hub_id_without_a_network() -> None:
    with pytest.raises(UnavailableError, match=r"owner/data-set cannot be had: .*use a file of your own"):
        open_source("owner/data-set")


def test_weights_are_no_data() -> None:
    with pytest.raises(DataError, match="weights, not data"):
        open_source("minilm")


def test_a_name_of_the_catalogue(entry: Callable[[str], Path]) -> None:
    entry("news")
    source = open_source("news")
    assert (source.origin, source.kind, source.split) == ("catalogue", "text", "train")
    assert len(next(source.documents())) > 1000
