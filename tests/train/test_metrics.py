"""The metrics file: rows there and back, a cut-off row, and no step twice after a resume."""

import resource
from pathlib import Path

import pytest

from trivium.errors import StorageError
from trivium.train.metrics import MetricsFile, median_step_seconds, read_metrics


def rows(*steps: int) -> list[dict]:
    return [{"step": step, "loss": 1 / (step + 2)} for step in steps]


def write(path: Path, step: int, *more: dict) -> None:
    metrics = MetricsFile(path, step, step)
    for row in more:
        metrics.append(row)
    metrics.close()


def test_there_and_back_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, 0, *rows(1, 2, 3))
    assert read_metrics(path) == rows(1, 2, 3)
    assert read_metrics(tmp_path / "none.jsonl") == []


def test_the_median_step_is_of_rows_that_know_their_time(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert median_step_seconds(path) is None
    write(path, 0, *rows(1, 2))
    assert median_step_seconds(path) is None, "rows of an older version"
    write(path, 2, *({"step": step, "step_seconds": 0.1 * step} for step in (3, 4, 50)))
    assert median_step_seconds(path) == 0.4


def test_a_resume_drops_what_will_be_done_again(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, 0, *rows(1, 2, 3, 4))
    write(path, 2, *rows(3))
    assert read_metrics(path) == rows(1, 2, 3)


def test_a_validation_that_will_be_done_again_is_dropped(tmp_path: Path) -> None:
    """The checkpoint of step 4 was saved before its validation, whose row was written all the same."""
    path = tmp_path / "metrics.jsonl"
    validations = [{"step": step, "validation": {"loss": 2.0}} for step in (2, 4)]
    write(path, 0, *rows(1, 2), validations[0], *rows(3, 4), validations[1])
    MetricsFile(path, 4, 2).close()
    assert read_metrics(path) == [*rows(1, 2), validations[0], *rows(3, 4)]


def test_a_row_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, 0, *rows(1, 2))
    with path.open("a") as stream:
        stream.write('{"step": 3, "lo')
    assert read_metrics(path) == rows(1, 2)
    write(path, 3, *rows(3))
    assert read_metrics(path) == rows(1, 2, 3)


def test_each_row_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    metrics = MetricsFile(path, 0, 0)
    metrics.append({"step": 1})
    assert read_metrics(path) == [{"step": 1}]
    metrics.close()


def test_no_room_for_a_row(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    metrics = MetricsFile(path, 0, 0)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limit[1]))
    try:
        with pytest.raises(StorageError, match="larger than this system allows"):
            metrics.append({"step": 1, "loss": 2.0})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    metrics.close()
