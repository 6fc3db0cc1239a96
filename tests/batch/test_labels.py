"""What a job writes is what the Python methods say, row by row; what they would refuse is counted."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.batch.running import LONG, ran
from tests.decode.tiny import speaker
from tests.tasks.tiny import TEXTS, headed
from trivium.batch.labels import Answers, Classes, TaggedTexts, TaggedTokens
from trivium.errors import UsageError
from trivium.language_model import LanguageModel


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
    rows: list[dict[str, Any]] = [
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


def test_a_model_that_cannot_is_refused_before_anything_is_read() -> None:
    lm = LanguageModel(*speaker("bert"))
    refused = ((Classes, "classifies"), (TaggedTexts, "tags"), (TaggedTokens, "tags"), (Answers, "answers"))
    for task, does in refused:
        with pytest.raises(UsageError, match=does):
            task(lm)


def test_given_words_get_a_label_each(tmp_path: Path) -> None:
    lm = headed("bert", "token-classification")
    sentences: list[Any] = [["Nobody", "knew", "Zürich"], [], ["a", " "], "words", ["the"] * 90]
    found, finished = ran(TaggedTokens(lm), [{"tokens": words} for words in sentences], tmp_path)
    said = lm.tag_words([sentences[0], sentences[4]])
    for row, tags in zip((found[0], found[4]), said, strict=True):
        assert row["predicted_tags"] == [word.label for word in tags.words]
        assert row["scores"] == pytest.approx([word.score for word in tags.words], abs=1e-6)
        assert row["entities"] == [
            dataclasses.asdict(entity) | {"score": pytest.approx(entity.score)} for entity in tags.entities
        ]
    assert len(found[4]["predicted_tags"]) == 90  # read in windows
    assert finished.skipped == {"no tokens": 1, "an empty word": 1, "tokens that are no list of words": 1}
    with pytest.raises(UsageError, match="leave --truncate out"):
        TaggedTokens(lm, truncate=True)
