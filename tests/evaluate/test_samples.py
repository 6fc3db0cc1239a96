"""The journal of a folder: what is whole is read again, what was cut is not."""

import json
from pathlib import Path

from trivium.data.examples import Examples, TaggedWords
from trivium.evaluate.predictions import Prediction
from trivium.evaluate.samples import Journal, prediction_of, write_samples

SAID = [Prediction("pos", {"pos": 0.75, "neg": 0.25}, "A film."), Prediction("neg")]
PARTIAL = "samples.partial.jsonl"


def test_what_was_added_is_there_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "key")
    journal.add(SAID, 1.5)
    journal.add(SAID[:1], 0.5)
    again = Journal(tmp_path, "key")
    assert again.predictions == [*SAID, SAID[0]]
    assert again.seconds == 2


def test_a_line_that_was_cut_is_left_out_and_made_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "key")
    journal.add(SAID, 1.0)
    journal.add(SAID, 1.0)
    path = tmp_path / PARTIAL
    path.write_bytes(path.read_bytes()[:-20])
    again = Journal(tmp_path, "key")
    assert again.predictions == SAID
    again.add(SAID[:1], 1.0)
    assert Journal(tmp_path, "key").predictions == [*SAID, SAID[0]]


def test_of_another_key_nothing_is_read(tmp_path: Path) -> None:
    Journal(tmp_path, "key").add(SAID, 1.0)
    assert Journal(tmp_path, "other").predictions == []
    assert not (tmp_path / PARTIAL).exists()


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    journal = Journal(None, "key")
    journal.add(SAID, 1.0)
    journal.finish()
    assert journal.predictions == SAID


def test_samples_are_lines_of_json_that_give_the_predictions_back(tmp_path: Path) -> None:
    examples = Examples("tagging", (TaggedWords(("Zoë", "\ud800"), ("B-PER", "O")),))
    said = [Prediction(("B-PER", "O"))]
    write_samples(tmp_path / "samples.jsonl", examples, said, [1.0])
    text = (tmp_path / "samples.jsonl").read_text(encoding="utf-8")
    assert "Zoë" in text
    line = json.loads(text)
    assert line["example"]["words"] == ["Zoë", "\ud800"]
    assert line["score"] == 1
    assert prediction_of(line) == said[0]
