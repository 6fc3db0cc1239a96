"""Rows in, rows out: killed anywhere and resumed, the output is the same to the last byte."""

import json
import multiprocessing
import os
import resource
import tracemalloc
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.batch.fake import Lengths
from trivium.batch import job as job_module
from trivium.batch.job import Done, run_job
from trivium.data.sources import open_source
from trivium.errors import DataError, StorageError, UsageError

TEXTS = [*(f"text {number} " * (number % 7 + 1) for number in range(22)), "", "Zürich 日本 🙂"]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(TEXTS)))
    return path


def test_every_row_keeps_what_it_had_and_gains_its_result(rows: Path, tmp_path: Path) -> None:
    seen: list[Done] = []
    finished = run_job(Lengths(), open_source(rows, column="text"), tmp_path / "out.jsonl", progress=seen.append)
    out = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["text"] for row in out] == TEXTS
    assert [row["length"] for row in out] == [len(text) or None for text in TEXTS]
    assert [row["skipped"] for row in out] == [None if text else "no text" for text in TEXTS]
    assert [(done.rows, done.of) for done in seen] == [(n, 24) for n in (4, 8, 12, 16, 20, 24)]
    assert (finished.rows, finished.skipped, finished.first_skipped) == (24, {"no text": 1}, {"no text": 23})
    assert "23 of 24 rows" in str(finished)
    assert "1 with no text (the first is row 23)" in str(finished)
    assert not (tmp_path / "out.jsonl.partial").exists()


def _run(source: str, output: str, dies_at: int | None, suffix_limit: int | None = None) -> None:
    if suffix_limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (suffix_limit, suffix_limit))
    run_job(Lengths(dies_at=dies_at), open_source(source, column="text"), Path(output))


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_killed_job_goes_on_to_the_same_bytes(rows: Path, tmp_path: Path, suffix: str) -> None:
    whole, killed = tmp_path / f"whole{suffix}", tmp_path / f"killed{suffix}"
    _run(str(rows), str(whole), None)
    fork = multiprocessing.get_context("fork")
    for dies_at in (0, 8, 8, 20):
        process = fork.Process(target=_run, args=(str(rows), str(killed), dies_at))
        process.start()
        process.join()
        assert process.exitcode == -9
        assert not killed.exists()
    finished = run_job(Lengths(), open_source(rows, column="text"), killed)
    assert finished.resumed_rows == 20
    assert killed.read_bytes() == whole.read_bytes()


def test_a_kill_while_the_output_is_written_loses_nothing(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(job_module, "write_output", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_job(Lengths(), open_source(rows, column="text"), tmp_path / "out.jsonl")
    finished = run_job(Lengths(dies_at=0), open_source(rows, column="text"), tmp_path / "out.jsonl")
    assert finished.resumed_rows == finished.rows == 24


def test_the_same_command_after_the_end_does_nothing(rows: Path, tmp_path: Path) -> None:
    first = run_job(Lengths(), open_source(rows, column="text"), tmp_path / "out.csv")
    again = run_job(Lengths(dies_at=0), open_source(rows, column="text"), tmp_path / "out.csv")
    assert again.to_dict() == {**first.to_dict(), "resumed_rows": 24}
    record = json.loads((tmp_path / "out.csv.job.json").read_text())
    assert record["job"]["columns"] == {"text": "text"}


def test_an_output_of_another_job_is_not_overwritten(rows: Path, tmp_path: Path) -> None:
    run_job(Lengths(), open_source(rows, column="text"), tmp_path / "out.jsonl")
    before = (tmp_path / "out.jsonl").read_bytes()
    other = tmp_path / "other.jsonl"
    other.write_text('{"text": "else"}\n')
    for task, source in ((Lengths(), other), (Lengths(name="more"), rows), (Lengths(chunk_rows=5), rows)):
        with pytest.raises(UsageError, match="is there already"):
            run_job(task, open_source(source, column="text"), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_a_full_disk_keeps_what_is_done(rows: Path, tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    fork_run = fork.Process(target=_run_full, args=(str(rows), str(tmp_path / "out.jsonl")))
    fork_run.start()
    fork_run.join()
    assert fork_run.exitcode == 7
    state = json.loads((tmp_path / "out.jsonl.partial" / "state.json").read_text())
    assert 0 < state["rows"] < 24
    finished = run_job(Lengths(), open_source(rows, column="text"), tmp_path / "out.jsonl")
    assert finished.resumed_rows == state["rows"]
    run_job(Lengths(), open_source(rows, column="text"), tmp_path / "whole.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def _run_full(source: str, output: str) -> None:
    try:
        _run(source, output, None, suffix_limit=700)
    except StorageError as error:
        os._exit(7 if "larger than this system allows" in str(error) else 8)


def test_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,review,length\n1,good,9\n")
    source = open_source(path, column="review")
    with pytest.raises(DataError, match=r"no column 'text'.*'review'.*--column text="):
        run_job(Lengths(), source, tmp_path / "out.csv")
    with pytest.raises(DataError, match=r"no column 'reviews'.* Did you mean 'review'"):
        run_job(Lengths(), source, tmp_path / "out.csv", columns={"text": "reviews"})
    with pytest.raises(UsageError, match=r"no role 'txt'.* Did you mean 'text'"):
        run_job(Lengths(), source, tmp_path / "out.csv", columns={"txt": "review"})
    with pytest.raises(UsageError, match=r"'length' already.*--prefix"):
        run_job(Lengths(), source, tmp_path / "out.csv", columns={"text": "review"})
    run_job(Lengths(), source, tmp_path / "out.csv", columns={"text": "review"}, prefix="model_")
    assert (tmp_path / "out.csv").read_text() == (
        'id,review,length,model_length,model_chunk,model_skipped\n1,good,9,4,"[0, 1]",\n'
    )


def test_a_broken_line_stops_the_job_before_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a"}\n' * 9 + b'{"text": "caf\xe9"}\n')
    with pytest.raises(DataError, match=r"not UTF-8: byte 139 \(line 10\) is 0xE9"):
        run_job(Lengths(dies_at=0), open_source(path, column="text"), tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl.partial").exists()


def test_a_source_that_grows_meanwhile_is_refused(rows: Path, tmp_path: Path) -> None:
    def grow(done: Done) -> None:
        if done.rows == 8:
            with rows.open("a") as stream:
                stream.write('{"text": "late"}\n')

    with pytest.raises(DataError, match=r"rows.jsonl changed while it was read"):
        run_job(Lengths(), open_source(rows, column="text"), tmp_path / "out.jsonl", progress=grow)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_longer_file_takes_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for count in (400, 1600):
        path = tmp_path / f"{count}.jsonl"
        path.write_text(f'{{"text": "{"x" * 2000}"}}\n' * count)
        source = open_source(path, column="text")
        tracemalloc.start()
        run_job(Lengths(chunk_rows=200), source, tmp_path / f"{count}.csv")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 3_000_000


def test_rows_may_have_other_columns_and_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a"}\n{"id": 2}\n{"text": null, "more": [1]}\n')
    finished = run_job(Lengths(), open_source(path, column="text"), tmp_path / "out.parquet")
    assert finished.skipped == {"no text": 2}
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(row["id"], row["more"], row["length"]) for row in table] == [
        (None, None, 1),
        (2, None, None),
        (None, [1], None),
    ]


def test_an_error_in_the_middle_says_where_and_keeps_the_rows_before(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Lengths, given: list[dict[str, str]], first: int) -> list[dict[str, int]]:
        if first == 8:
            raise UsageError("It cannot be.")
        return [{"length": 1, "chunk": 0} for _ in given]

    monkeypatch.setattr(Lengths, "results", fails)
    with pytest.raises(UsageError, match=r"rows 9 to 12 of .*rows.jsonl: It cannot be. The rows before are kept"):
        run_job(Lengths(), open_source(rows, column="text"), tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl.partial" / "state.json").read_text())["rows"] == 8
