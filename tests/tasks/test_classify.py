"""Texts get the labels and scores that the pipeline of `transformers` gives them from the saved folder."""

from pathlib import Path

import pytest
import transformers as hf

from tests.tasks.tiny import TEXTS, headed
from trivium.errors import UsageError
from trivium.language_model import load

FAMILIES = ["bert", "gpt2", "llama", "t5"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_pipeline_says_the_same_of_a_saved_folder(family: str, tmp_path: Path) -> None:
    lm = headed(family, "sequence-classification", ("good", "bad", "neither"))
    lm.save(tmp_path)
    found = load(tmp_path).classify(TEXTS)
    pipeline = hf.pipeline("text-classification", model=str(tmp_path), top_k=None)
    for text, classification in zip(TEXTS, found, strict=True):
        said = pipeline(text)  # one at a time: without padding
        expected = {row["label"]: row["score"] for row in (said[0] if isinstance(said[0], list) else said)}
        assert classification.scores == pytest.approx(expected, abs=1e-4)
        assert classification.label == max(expected, key=expected.__getitem__)
        assert classification.score == max(classification.scores.values())


@pytest.mark.parametrize(
    ("problem", "total"),
    [("single_label_classification", 1.0), ("multi_label_classification", None), ("regression", None)],
)
def test_scores_are_what_the_problem_says(problem: str, total: float | None, tmp_path: Path) -> None:
    lm = headed("bert", "sequence-classification", ("a", "b", "c"), problem_type=problem)
    lm.save(tmp_path)
    [found] = load(tmp_path).classify(TEXTS[:1])
    said = hf.pipeline("text-classification", model=str(tmp_path), top_k=None)(TEXTS[0])
    expected = {row["label"]: row["score"] for row in (said[0] if isinstance(said[0], list) else said)}
    assert found.scores == pytest.approx(expected, abs=1e-4)
    assert total is None or sum(found.scores.values()) == pytest.approx(total, abs=1e-5)


def test_a_label_alone_is_a_probability_of_its_own() -> None:
    found = headed("bert", "sequence-classification", ("relevant",)).classify(TEXTS[0])
    assert 0 < found.score < 1


def test_a_pair_is_read_together_with_its_segments(tmp_path: Path) -> None:
    lm = headed("bert", "sequence-classification", ("follows", "does not"))
    lm.save(tmp_path)
    found = lm.classify((TEXTS[0], TEXTS[1]))
    said = hf.pipeline("text-classification", model=str(tmp_path), top_k=None)(
        {"text": TEXTS[0], "text_pair": TEXTS[1]}
    )
    expected = {row["label"]: row["score"] for row in (said[0] if isinstance(said[0], list) else said)}
    assert found.scores == pytest.approx(expected, abs=1e-4)
    assert found.scores != lm.classify(TEXTS[0] + TEXTS[1]).scores


def test_rows_do_not_change_each_other() -> None:
    lm = headed("gpt2", "sequence-classification")
    together = lm.classify(TEXTS)
    for text, found in zip(TEXTS, together, strict=True):
        assert lm.classify(text).scores == pytest.approx(found.scores, abs=1e-5)


def test_a_text_over_the_limit_is_refused_or_cut_when_asked() -> None:
    lm = headed("bert", "sequence-classification")
    long = "the harbour " * 100
    with pytest.raises(UsageError, match=r"this model reads 64.*truncate=True"):
        lm.classify(long)
    assert lm.classify(long, truncate=True).scores == lm.classify(long + " and more", truncate=True).scores


def test_a_model_without_the_head_says_so() -> None:
    lm = headed("bert", "token-classification")
    with pytest.raises(UsageError, match=r"classifies no texts: it has a head of TokenLabels.*BertForSequence"):
        lm.classify("The cat")
    with pytest.raises(UsageError, match="no language-model head"):
        headed("gpt2", "sequence-classification").generate("The cat")
