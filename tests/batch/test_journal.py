"""What survives a kill: counted bytes, and nothing behind them."""

import json
from pathlib import Path

import pytest

from trivium.batch.journal import open_journal
from trivium.errors import CheckpointError, ModelError, UsageError

JOB = {"task": "lengths", "source": {"a.jsonl": "12"}}


def filled(folder: Path) -> None:
    with open_journal(folder, JOB) as journal:
        journal.append([{"length": 1, "skipped": None}, {"length": None, "skipped": "no text"}], 0.5)
        journal.append([{"length": 3, "skipped": None, "cut": True}], 0.25)


def test_what_was_written_is_there_again(tmp_path: Path) -> None:
    filled(tmp_path / "a.partial")
    with open_journal(tmp_path / "a.partial", JOB) as journal:
        assert (journal.rows, journal.cut, journal.seconds) == (3, 1, 0.75)
        assert dict(journal.skipped) == {"no text": 1}
        assert journal.first_skipped == {"no text": 2}
        assert [result["length"] for result in journal.results()] == [1, None, 3]


def test_what_no_state_counts_is_cut_off(tmp_path: Path) -> None:
    filled(tmp_path)
    whole = (tmp_path / "results.jsonl").read_bytes()
    (tmp_path / "results.jsonl").write_bytes(whole + b'{"length": 4, "skip')  # killed while it wrote
    with open_journal(tmp_path, JOB) as journal:
        journal.append([{"length": 4, "skipped": None}], 0.0)
    assert (tmp_path / "results.jsonl").read_bytes() == whole + b'{"length": 4, "skipped": null}\n'


def test_another_job_is_refused_and_the_difference_named(tmp_path: Path) -> None:
    filled(tmp_path)
    with (
        pytest.raises(UsageError, match=r'3 rows of another job: source was \{"a.jsonl": "12"\} and is \{"b') as caught,
        open_journal(tmp_path, {"task": "lengths", "source": {"b.jsonl": "9"}}),
    ):
        pass
    assert "remove the folder" in str(caught.value)


def test_a_number_that_is_none_is_the_models_fault(tmp_path: Path) -> None:
    with open_journal(tmp_path, JOB) as journal:
        journal.append([{"score": 0.5}], 0.0)
        with pytest.raises(ModelError, match=r"Among rows 2 to 3 .* float32"):
            journal.append([{"score": 0.5}, {"score": float("nan")}], 0.0)
        assert journal.rows == 1


def test_two_processes_do_not_write_the_same(tmp_path: Path) -> None:
    with open_journal(tmp_path, JOB), pytest.raises(UsageError, match="in use"), open_journal(tmp_path, JOB):
        pass


@pytest.mark.parametrize("damage", ["cut", "broken"])
def test_an_altered_journal_is_refused(tmp_path: Path, damage: str) -> None:
    filled(tmp_path)
    if damage == "cut":
        (tmp_path / "results.jsonl").write_bytes(b"{}\n")
    else:
        (tmp_path / "state.json").write_text(json.dumps(JOB)[:-4])
    with pytest.raises(CheckpointError, match="Remove the folder"), open_journal(tmp_path, JOB):
        pass
