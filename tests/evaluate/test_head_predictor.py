"""A model's head is asked for what it is for, and says what `lm.classify`, `tag_words`, `answer` and `generate` say."""

from dataclasses import replace

import pytest

from tests.decode.tiny import speaker
from tests.tasks.tiny import TEXTS, headed
from trivium.data.examples import Examples, Form, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import DataError, UsageError
from trivium.evaluate.evaluation import evaluate
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.evaluate.identity import identity_of
from trivium.language_model import LanguageModel
from trivium.tasks.text_to_text import TextTask


def _labelled(*labels: str | tuple[str, ...] | float) -> Examples:
    form: Form = "classification"
    form = "multi-label" if isinstance(labels[0], tuple) else "regression" if isinstance(labels[0], float) else form
    return Examples(form, tuple(map(LabelledText, TEXTS, labels)))


def test_a_classifier() -> None:
    lm = headed("bert", "sequence-classification", ("LABEL_0", "LABEL_1"))
    predictor = HeadPredictor(lm, {"LABEL_0": "bad", "LABEL_1": "good"})
    examples = _labelled("good", "bad", "good")
    said = predictor.predict(examples)
    names = {"LABEL_0": "bad", "LABEL_1": "good"}
    assert [each.said for each in said] == [names[done.label] for done in lm.classify(TEXTS)]
    assert said[0].scores["good"] == pytest.approx(lm.classify(TEXTS[0]).scores["LABEL_1"], abs=1e-6)
    assert predictor.how == {
        "weights": identity_of(lm)[:16],
        "labels": "LABEL_0 = bad, LABEL_1 = good",
        "long texts": "cut at 64 tokens",
    }
    assert "ece" in [metric.name for metric in evaluate(predictor, examples).metrics]


def test_long_texts_are_cut() -> None:
    lm = headed("bert", "sequence-classification", ("a", "b"))
    long = Examples("classification", (LabelledText(TEXTS[0] * 40, "a"),))
    assert HeadPredictor(lm).predict(long)[0].said == lm.classify(TEXTS[0] * 40, truncate=True).label


def test_several_labels_and_numbers() -> None:
    lm = headed("bert", "sequence-classification", ("a", "b", "c"), problem_type="multi_label_classification")
    for prediction in HeadPredictor(lm).predict(_labelled(("a",), (), ("b", "c"))):
        assert prediction.said == tuple(label for label, score in prediction.scores.items() if score > 0.5)
    lm = headed("gpt2", "sequence-classification", ("stars",), problem_type="regression")
    said = [each.said for each in HeadPredictor(lm).predict(_labelled(1.0, 2.0, 3.0))]
    assert said == pytest.approx([done.score for done in lm.classify(TEXTS)])


def test_a_tagger() -> None:
    lm = headed("bert", "token-classification")
    words = tuple(tuple(text.split()) for text in TEXTS)
    examples = Examples("tagging", tuple(TaggedWords(each, ("O",) * len(each)) for each in words))
    predictor = HeadPredictor(lm)
    assert [each.said for each in predictor.predict(examples)] == [
        tuple(word.label for word in tags.words) for tags in lm.tag_words(words)
    ]
    assert list(predictor.how) == ["weights"]


def test_answers() -> None:
    lm = headed("bert", "question-answering", ("start", "end"))
    question = Question("Who walked?", TEXTS[0], ("sailor",), (8,))
    examples = Examples("extraction", (question, replace(question, answers=(), starts=())))
    sure = HeadPredictor(lm).predict(examples)
    assert sure[0].said == lm.answer(question.question, question.context).text
    open_to_none = HeadPredictor(lm, or_none=True)
    assert open_to_none.predict(examples)[0].said == lm.answer(question.question, question.context, or_none=True).text
    assert open_to_none.how["no answer"] == "may be said"


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_texts_with_what_stands_around_them(family: str) -> None:
    task = TextTask("translation", prefix="say: ", answer_tokens=6)
    lm = LanguageModel(*speaker(family), text_tasks={"translation": task})
    examples = Examples("text-to-text", (TextPair("The cat", ("Le chat",)), TextPair("A dog", ("Un chien",))))
    predictor = HeadPredictor(lm)
    said = predictor.predict(examples)
    expected = lm.translate(["The cat", "A dog"], temperature=0, max_tokens=6)
    assert [each.said for each in said] == [done.text.strip() for done in expected]
    assert said[0].input.startswith("say: The cat")
    assert predictor.how["template"].startswith("'say: {source}")
    assert "greedy, max_tokens=6" in predictor.how["decoding"]
    shorter = HeadPredictor(lm, options={"max_tokens": 2})
    assert "max_tokens=2" in shorter.how["decoding"]


def test_what_a_model_cannot_say() -> None:
    with pytest.raises(UsageError, match="This encoder has no head for a task"):
        HeadPredictor(LanguageModel(*speaker("bert")))
    with pytest.raises(DataError, match="of classification, and this predictor is for text-to-text"):
        evaluate(HeadPredictor(LanguageModel(*speaker("gpt2"))), _labelled("a", "b", "a"))
    with pytest.raises(UsageError, match=r"no label 'LABEL_9'. Did you mean 'LABEL_1'\? It has: LABEL_0, LABEL_1"):
        HeadPredictor(headed("bert", "sequence-classification", ("LABEL_0", "LABEL_1")), {"LABEL_9": "x"})
