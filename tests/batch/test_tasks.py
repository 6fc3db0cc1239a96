"""What a job writes is what the Python methods say, row by row; what they would refuse is counted."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import torch

from tests.decode.tiny import speaker
from tests.tasks.tiny import TEXTS, headed
from trivium.batch.job import Finished, RowTask, run_job
from trivium.batch.tasks import Answers, Classes, TaggedTexts, Translations, Vectors, fingerprint
from trivium.data.sources import open_source
from trivium.errors import UsageError
from trivium.language_model import LanguageModel
from trivium.tasks.pooling import TextVectors

LONG = "She counted the boats twice. " * 20  # over the 64 positions of the tiny models


def ran(task: RowTask, rows: list[dict[str, Any]], folder: Path, suffix: str = ".jsonl") -> tuple[list[Any], Finished]:
    source, output = folder / "in.jsonl", folder / f"out{suffix}"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    finished = run_job(task, open_source(source, column=next(iter(rows[0]))), output)
    if suffix == ".parquet":
        return pyarrow.parquet.read_table(output).to_pylist(), finished
    return [json.loads(line) for line in output.read_text().splitlines()], finished


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_classes(family: str, tmp_path: Path) -> None:
    lm = headed(family, "sequence-classification", ("good", "bad", "neither"))
    rows = [{"text": text} for text in [*TEXTS, ""]]
    found, finished = ran(Classes(lm, chunk_rows=2), rows, tmp_path)
    for row, said in zip(found, [*lm.classify(TEXTS[:2]), *lm.classify(TEXTS[2:])], strict=False):
        assert row["predicted_label"] == said.label
        assert row["score"] == said.score
        assert row["scores"] == said.scores
    assert found[3] == {"text": "", "predicted_label": None, "score": None, "scores": None, "skipped": "no text"}
    assert finished.skipped == {"no text": 1}


def test_pairs_are_read_together(tmp_path: Path) -> None:
    lm = headed("bert", "sequence-classification", ("good", "bad"))
    rows = [
        {"text": TEXTS[0], "text_b": TEXTS[1]},
        {"text": LONG, "text_b": TEXTS[1]},
        {"text": TEXTS[1], "text_b": None},
    ]
    found, finished = ran(Classes(lm, truncate=True), rows, tmp_path)
    assert found[0]["scores"] == pytest.approx(lm.classify((TEXTS[0], TEXTS[1])).scores, abs=1e-6)
    assert finished.skipped == {
        "a text that leaves no room for the second text within 64 tokens": 1,
        "no second text": 1,
    }


def test_what_is_too_long_is_left_out_or_cut_and_both_are_counted(tmp_path: Path) -> None:
    lm = headed("bert", "sequence-classification", ("good", "bad"))
    rows = [{"text": LONG}, {"text": TEXTS[0]}]
    found, finished = ran(Classes(lm), rows, tmp_path)
    assert [row["skipped"] for row in found] == ["more than 64 tokens", None]
    (tmp_path / "out.jsonl").unlink()
    found, finished = ran(Classes(lm, truncate=True), rows, tmp_path)
    assert [row["cut"] for row in found] == [True, False]
    assert finished.cut == 1
    assert "cut to fit: 1" in str(finished)
    assert found[0]["scores"] == pytest.approx(lm.classify(LONG, truncate=True).scores, abs=1e-6)


def test_tags_count_characters_in_the_text(tmp_path: Path) -> None:
    lm = headed("bert", "token-classification")
    found, _ = ran(TaggedTexts(lm), [{"text": text} for text in TEXTS], tmp_path, ".parquet")
    for row, said in zip(found, lm.tag(TEXTS), strict=True):
        assert row["words"] == [dataclasses.asdict(word) for word in said.words]
        assert row["entities"] == [dataclasses.asdict(entity) for entity in said.entities]
        assert all(row["text"][word["start"] : word["end"]] == word["text"] for word in row["words"])
    assert any(row["entities"] for row in found)


def test_answers_stand_in_their_contexts(tmp_path: Path) -> None:
    lm = headed("bert", "question-answering", ("start", "end"))
    rows = [{"question": "Who knew?", "context": text} for text in TEXTS] + [{"question": LONG, "context": "Nobody."}]
    found, finished = ran(Answers(lm, max_tokens=3), rows, tmp_path)
    for row, text in zip(found[:3], TEXTS, strict=True):
        said = lm.answer("Who knew?", text, max_tokens=3)
        assert (row["answer"], row["start"], row["end"], row["no_answer"]) == (
            said.text,
            said.start,
            said.end,
            said.no_answer,
        )
        assert text[row["start"] : row["end"]] == row["answer"]
    assert finished.skipped == {"a question that leaves no room for the context within 64 tokens": 1}


def test_vectors_keep_every_digit_of_float32(tmp_path: Path) -> None:
    lm = dataclasses.replace(LanguageModel(*speaker("bert")), vectors=TextVectors("first", True, 60, "query: "))
    rows = [{"text": text} for text in [*TEXTS, "Nobody knew. " * 14]]
    found, finished = ran(Vectors(lm), rows, tmp_path)
    assert torch.equal(torch.tensor([row["vector"] for row in found[:3]]), lm.embed(TEXTS))
    assert finished.skipped == {"more than 60 tokens": 1}
    found, finished = ran(Vectors(lm, truncate=True), rows, tmp_path, ".parquet")
    assert torch.equal(
        torch.tensor([row["vector"] for row in found]), lm.embed([row["text"] for row in rows], truncate=True)
    )
    assert finished.cut == 1


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_translations_draw_the_same_wherever_the_job_stopped(family: str, tmp_path: Path) -> None:
    lm = LanguageModel(*speaker(family))
    task = Translations(lm, chunk_rows=2, before="say: ", options={"max_tokens": 8, "temperature": 1.0, "seed": 5})
    rows = [{"source": text} for text in [*TEXTS[:2], LONG]]
    found, finished = ran(task, rows, tmp_path)
    said = lm.generate([f"say: {text}" for text in TEXTS[:2]], max_tokens=8, temperature=1.0, seed=5)
    assert [row["translation"] for row in found[:2]] == [one.text for one in said]
    assert finished.skipped == ({"more than 64 tokens": 1} if family == "gpt2" else {})


def test_a_model_that_cannot_is_refused_before_anything_is_read() -> None:
    lm = LanguageModel(*speaker("bert"))
    for task, does in (
        (Classes, "classifies"),
        (TaggedTexts, "tags"),
        (Answers, "answers"),
        (Translations, "writes no"),
    ):
        with pytest.raises(UsageError, match=does):
            task(lm)


def test_the_fingerprint_sees_a_changed_weight() -> None:
    one, same, other = (LanguageModel(*speaker("gpt2", seed)) for seed in (0, 0, 1))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    with torch.no_grad():
        same.model.tokens.weight[0, 0] += 1
    assert fingerprint(one) != fingerprint(same)
