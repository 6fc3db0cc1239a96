"""Baselines: what each says, and Naive Bayes beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

from trivium.data.examples import Example, Examples, Form, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import DataError
from trivium.evaluate.baselines import CopySource, LeadSentence, MostCommon, NaiveBayes, TagLookup
from trivium.evaluate.predictions import Described

TAGGED = Examples(
    "tagging",
    (
        TaggedWords(("the", "run", "ended"), ("DT", "NN", "VB")),
        TaggedWords(("they", "run"), ("PR", "VB")),
        TaggedWords(("a", "run"), ("DT", "NN")),
    ),
)
PAIRS = Examples(
    "text-to-text",
    (
        TextPair('He said "Stop." Then 3.5 men left.', ("Stop", "Halt")),
        TextPair("One line\nand another. End", ("Stop",)),
    ),
)


@pytest.mark.parametrize(
    ("form", "examples", "said"),
    [
        ("classification", [LabelledText("x", "good"), LabelledText("y", "bad"), LabelledText("z", "bad")], "bad"),
        ("multi-label", [LabelledText("x", ("a",)), LabelledText("y", ("a", "b")), LabelledText("z", ("a",))], ("a",)),
        ("regression", [LabelledText("x", 1.0), LabelledText("y", 2.5)], 1.75),
        (
            "extraction",
            [Question("q", "c d", ("c",), (0,)), Question("r", "c d", (), ()), Question("s", "", (), ())],
            "",
        ),
        ("text-to-text", list(PAIRS), "Stop"),
    ],
)
def test_the_commonest_answer_of_every_form(form: Form, examples: list[Example], said: object) -> None:
    train = Examples(form, tuple(examples))
    baseline = MostCommon.of(train)
    assert [one.said for one in baseline.predict(train)] == [said] * len(train)
    assert baseline.forms == (form,)


def test_the_commonest_tag_stands_for_every_word() -> None:
    assert [one.said for one in MostCommon.of(TAGGED).predict(TAGGED)] == [("DT",) * 3, ("DT",) * 2, ("DT",) * 2]


def test_each_words_commonest_tag() -> None:
    lookup = TagLookup.of(TAGGED)
    unseen = Examples("tagging", (TaggedWords(("they", "run", "fast"), ("PR", "VB", "RB")),))
    assert lookup.predict(unseen)[0].said == ("PR", "NN", "DT")


def test_the_source_and_its_first_sentence() -> None:
    assert [one.said for one in CopySource().predict(PAIRS)] == [pair.source for pair in PAIRS]  # type: ignore[union-attr]
    assert [one.said for one in LeadSentence().predict(PAIRS)] == ['He said "Stop."', "One line"]


def test_naive_bayes_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    vocabulary = [f"word{number}" for number in range(40)]

    def drawn(count: int) -> list[LabelledText]:
        shifts = rng.integers(0, 3, count)
        texts = [" ".join(rng.choice(vocabulary[10 * shift : 10 * shift + 20], 12)) for shift in shifts]
        return [LabelledText(f"A {text}! Café", "xyz"[shift]) for text, shift in zip(texts, shifts, strict=True)]

    train, test = Examples("classification", tuple(drawn(60))), Examples("classification", tuple(drawn(30)))
    counter, theirs = CountVectorizer(), MultinomialNB()
    texts, labels = zip(*((each.text, each.label) for each in train), strict=True)  # type: ignore[union-attr]
    theirs.fit(counter.fit_transform(texts), labels)
    expected = theirs.predict_proba(counter.transform([each.text for each in test]))  # type: ignore[union-attr]
    found = NaiveBayes.of(train).predict(test)
    assert np.array([list(one.scores.values()) for one in found]) == pytest.approx(expected, rel=1e-9)
    assert [one.said for one in found] == [theirs.classes_[row.argmax()] for row in expected]


def test_two_texts_are_read_as_one() -> None:
    pairs = Examples("classification", (LabelledText(("good", "film"), "yes"), LabelledText(("bad", "film"), "no")))
    assert NaiveBayes.of(pairs).predict(pairs)[1].said == "no"


def test_every_baseline_says_what_it_is_and_refuses_other_forms() -> None:
    other = Examples("classification", (LabelledText("a", "b"), LabelledText("c", "d")))
    for baseline in (MostCommon.of(PAIRS), TagLookup.of(TAGGED), CopySource(), LeadSentence(), NaiveBayes.of(other)):
        assert isinstance(baseline, Described)
        assert baseline.how["baseline"]
        wrong = PAIRS if "text-to-text" not in baseline.forms else other
        with pytest.raises(DataError, match="holds examples of"):
            baseline.predict(wrong)
