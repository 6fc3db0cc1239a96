"""Points from run folders, as training leaves them: with a quote, without one, whole, cut off, altered."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from trivium.errors import DataError
from trivium.families.registry import FAMILIES
from trivium.scaling.points import Point
from trivium.scaling.run_folders import read_points, read_run

QUOTE = {"parameters": 1000, "tokens": 640, "flops": 640 * 7000.0}
STEPS = [{"step": step, "loss": 5.0, "tokens": 64 * step} for step in range(1, 11)]
VALIDATIONS = [{"step": step, "validation": {"loss": 5 - step / 10}} for step in (5, 10)]


def run_folder(folder: Path, record: dict[str, Any] | None = None, rows: list[dict[str, Any]] | None = None) -> Path:
    folder.mkdir(parents=True)
    lines = [json.dumps(row) + "\n" for row in (rows if rows is not None else [*STEPS, *VALIDATIONS])]
    (folder / "metrics.jsonl").write_text("".join(lines))
    (folder / "run.yaml").write_text(yaml.safe_dump(record if record is not None else {"quote": QUOTE}))
    return folder


def test_a_point_for_every_validation(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a")
    assert read_run(folder) == [
        Point(1000.0, 320.0, 320 * 7000.0, 4.5, str(folder)),
        Point(1000.0, 640.0, 640 * 7000.0, 4.0, str(folder)),
    ]


def test_a_folder_of_runs_and_a_table(tmp_path: Path) -> None:
    for name in ("b", "a", "deeper/c"):
        run_folder(tmp_path / "runs" / name)
    (tmp_path / "more.csv").write_text("params,tokens,loss\n1e8,2e9,3\n")
    ends = read_points([tmp_path / "runs", tmp_path / "more.csv"])
    assert [Path(point.run).name for point in ends] == ["a", "b", "c", ""]
    assert [point.tokens for point in ends] == [640, 640, 640, 2e9]
    assert len(read_points([tmp_path / "runs"], whole_curves=True)) == 6


def test_the_config_counts_where_there_is_no_quote(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", record={"torch": "2"})
    config = {"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 2, "n_positions": 128, "vocab_size": 512}
    (folder / "config.json").write_text(json.dumps(config))
    parameters = 512 * 64 + 128 * 64 + 2 * (12 * 64**2 + 13 * 64) + 2 * 64
    assert read_run(folder)[-1] == Point(float(parameters), 640.0, 6.0 * parameters * 640, 4.0, str(folder))
    assert "gpt2" in FAMILIES


@pytest.mark.parametrize(
    ("record", "rows", "said"),
    [
        (None, STEPS, "has no validation in its metrics.jsonl"),
        (None, [], "has no validation"),
        ({}, None, "does not say how many parameters its model has"),
        ({"quote": {"parameters": 3}}, None, r"run.yaml cannot be read \('flops'\)"),
        ({"quote": {**QUOTE, "tokens": 0}}, None, "run.yaml cannot be read"),
        (None, [*STEPS, {"step": 3, "validation": {"loss": None}}], "holds rows that are no steps"),
        (None, [{"loss": 1.0}], "holds rows that are no steps of a training"),
    ],
)
def test_a_run_that_says_too_little(
    record: dict[str, Any] | None, rows: list[dict[str, Any]] | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        read_run(run_folder(tmp_path / "a", record, rows))


def test_altered_files(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a")
    (folder / "run.yaml").write_text("quote: [")
    with pytest.raises(DataError, match=r"run\.yaml cannot be read"):
        read_run(folder)
    (folder / "metrics.jsonl").write_text("{]\n")
    with pytest.raises(DataError, match=r"metrics\.jsonl cannot be read .* it was altered"):
        read_run(folder)


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a")
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 11, "val')
    assert len(read_run(folder)) == 2


def test_places_without_runs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not there\. Name tables of points, run folders"):
        read_points([tmp_path / "none"])
    with pytest.raises(DataError, match="holds no run"):
        read_points([tmp_path])
