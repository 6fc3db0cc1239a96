import gzip
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.data.formats import PASSAGE_BYTES, format_of, rows_of
from trivium.errors import DataError

ROWS = [{"text": "first"}, {"text": 'a "quoted", two\nlines'}, {"text": "naïve 日本"}]
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=30)


def test_formats_by_name() -> None:
    named = {"a.txt": ".txt", "a.b.jsonl.gz": ".jsonl", "a.csv.zst": ".csv", "a.parquet": ".parquet"}
    named |= {"a.parquet.gz": None, "a": None, "a.gz": None, "a.pdf": None, ".jsonl": None}
    assert {name: format_of(Path(name)) for name in named} == named


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst", "csv", "tsv", "csv.gz", "parquet"])
def test_every_format_gives_the_same_rows(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"rows.{suffix}"
    _write(file, ROWS)
    assert list(rows_of(file)) == ROWS


@given(rows=st.lists(st.fixed_dictionaries({"text": TEXT.filter(bool), "label": TEXT}), min_size=1, max_size=4))
def test_csv_and_jsonl_give_back_what_was_written(
    rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    for suffix in ("csv", "jsonl"):
        _write(folder / f"rows.{suffix}", rows)
        assert list(rows_of(folder / f"rows.{suffix}")) == rows


def test_a_small_text_file_is_one_document(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes("\ufeff# Title\r\n\r\nOne.\r\n\r\n\r\nTwo.\r\n".encode())
    assert list(rows_of(file)) == [{"text": "# Title\n\nOne.\n\n\nTwo."}]


def test_a_long_text_file_is_cut_at_blank_lines(tmp_path: Path) -> None:
    paragraphs = [f"paragraph {number} " + "word " * 200 for number in range(40)]
    file = tmp_path / "a.txt"
    file.write_text("\n\n".join(paragraphs))
    texts = [row["text"] for row in rows_of(file)]
    assert "\n\n".join(texts) == "\n\n".join(paragraphs)
    assert all(PASSAGE_BYTES <= len(text) <= PASSAGE_BYTES + 1100 for text in texts[:-1])
    assert all(text.startswith("paragraph") for text in texts)


def test_conll(tmp_path: Path) -> None:
    file = tmp_path / "a.conll"
    file.write_text("-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\n")
    assert list(rows_of(file)) == [
        {"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]},
        {"tokens": ["Peter"], "tags": ["B-PER"]},
    ]
    file.write_text("EU B-ORG\nrejects\n")
    with pytest.raises(DataError, match=r"Line 2 of .*a\.conll"):
        list(rows_of(file))


def test_semicolons_are_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text;label\nun, deux;1\n")
    assert list(rows_of(file)) == [{"text": "un, deux", "label": "1"}]


def test_a_field_may_be_longer_than_python_allows(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", [{"text": "x" * 200_000}])
    assert len(next(rows_of(tmp_path / "a.csv"))["text"]) == 200_000


BROKEN = {
    "bytes.txt": (b"fine\nna\xefve\n", r"bytes\.txt is not UTF-8: byte 7 \(line 2\) is 0xEF.*iconv"),
    "bytes.jsonl": (b'{"text": "a"}\n{"text": "\xff"}\n', r"byte 24 \(line 2\) is 0xFF"),
    "utf16.csv": ("text\n".encode("utf-16"), "UTF-16"),
    "cut.jsonl": (b'{"text": "a"}\n\n{"text": "b\n', r"Line 3 of .*cut\.jsonl is not JSON, column 12"),
    "list.jsonl": (b'["a"]\n', "Line 1 .* is a JSON list, not an object"),
    "surrogate.jsonl": (b'{"text": "ok"}\n{"text": "\\ud83d"}\n', r"Line 2 .*half of a surrogate pair"),
    "fields.csv": (b"text,label\na,1\nb,c,2\n", r"ends on line 3 .* has 3 fields, .* names 2 columns"),
    "quote.csv": (b'text\n"never closed\n', r"malformed at line 2"),
    "twice.csv": (b"text,text\na,b\n", "names a column twice"),
    "cut.parquet": (b"PAR1....", "not a readable parquet file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(name: str, tmp_path: Path) -> None:
    content, message = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        list(rows_of(tmp_path / name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_truncated_archive_is_named(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.jsonl.{suffix}"
    _write(file, [{"text": str(number)} for number in range(5000)])
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"truncated|not JSON"):
        list(rows_of(file))


def _write(file: Path, rows: list[dict[str, str]]) -> None:
    if file.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
        return
    if ".jsonl" in file.name:
        content = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        columns = list(rows[0])
        delimiter = "\t" if ".tsv" in file.name else ","
        quoted = [['"' + value.replace('"', '""') + '"' for value in map(row.get, columns)] for row in rows]
        content = "".join(delimiter.join(record) + "\n" for record in [columns, *quoted])
    data = content.encode()
    if file.suffix == ".gz":
        data = gzip.compress(data)
    elif file.suffix == ".zst":
        data = pyarrow.compress(data, codec="zstd", asbytes=True)
    file.write_bytes(data)
