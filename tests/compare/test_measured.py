"""What is kept of a candidate is read again where all went into it that goes in now, and else is not there."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.compare.tiny import cost, splits
from trivium.compare.measured import Measurement, folder_name, read_measurement, write_measurement
from trivium.evaluate.baselines import NaiveBayes
from trivium.evaluate.evaluation import evaluate


def kept(folder: Path) -> Measurement:
    parts = splits()
    evaluation = evaluate(NaiveBayes.of(parts.train), parts.held_out, folder=folder)
    made = Measurement(evaluation.predictions, "baseline", cost(), {"counts": "one higher"})
    write_measurement(folder, made, evaluation.key, "these inputs")
    return made


def test_it_is_read_as_it_was(tmp_path: Path) -> None:
    assert read_measurement(tmp_path, "these inputs") is None
    made = kept(tmp_path)
    assert read_measurement(tmp_path, "these inputs") == made
    assert read_measurement(tmp_path, "other inputs") is None


def test_what_is_broken_is_not_there(tmp_path: Path) -> None:
    kept(tmp_path)
    for name in ("samples.jsonl", "measured.json"):
        whole = (tmp_path / name).read_text()
        for broken in ("", whole[: len(whole) // 2], "null", "{}"):
            (tmp_path / name).write_text(broken)
            assert read_measurement(tmp_path, "these inputs") is None
        (tmp_path / name).write_text(whole)
    assert read_measurement(tmp_path, "these inputs") is not None


def test_a_plain_name_is_its_own_folder() -> None:
    assert folder_name("minilm+head") == "minilm+head"
    assert folder_name("smollm2-135m@4-shot") == "smollm2-135m@4-shot"
    assert folder_name("runs/t5+text").startswith("runs_t5+text-")


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_names_are_folders_of_their_own(one: str, other: str) -> None:
    assert folder_name(one).isascii() or folder_name(one).isprintable()
    assert "/" not in folder_name(one)
    assert folder_name(one) not in ("", ".", "..")
    assert (folder_name(one) == folder_name(other)) == (one == other)
