"""Labels: their order, what is unknown or empty, and what each weighs."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from tests.finetune.tiny import EXAMPLES, PAIRS
from trivium.data.examples import Examples, LabelledText
from trivium.errors import DataError
from trivium.finetune.labels import label_numbers, labels_of, weights_of
from trivium.finetune.settings import FineTuneSettings

LETTERS = EXAMPLES["classification"]


def labelled(*labels: str) -> Examples:
    return Examples("classification", tuple(LabelledText("x", label) for label in labels), "some")


def test_labels_are_those_of_the_examples_or_those_given_in_their_order() -> None:
    assert labels_of(LETTERS) == ("a", "b", "c")
    assert labels_of(LETTERS, ("c", "a", "b")) == ("c", "a", "b")
    assert labels_of(EXAMPLES["regression"]) == ("LABEL_0",)
    assert labels_of(EXAMPLES["regression"], ("stars",)) == ("stars",)
    assert labels_of(PAIRS) == ()


def test_empty_unknown_and_single_labels_are_errors() -> None:
    with pytest.raises(DataError, match=r"No example of tiny has the label 'd', .* Did you mean|No example of tiny"):
        labels_of(LETTERS, ("a", "b", "c", "d"))
    with pytest.raises(
        DataError, match="2 of the 5 examples of tiny have the label 'b', which the model is not taught"
    ):
        labels_of(LETTERS, ("a", "c"))
    with pytest.raises(DataError, match="have the label 'good': there is nothing to tell it from"):
        labels_of(labelled("good", "good"))
    with pytest.raises(DataError, match=r"1 of the 2 examples of some .* 'god'.* Did you mean 'good'"):
        label_numbers(labelled("good", "god"), ("good", "bad"))


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    counts = {"a": 7, "b": 2, "c": 1}
    examples = labelled(*(label for label, count in counts.items() for _ in range(count)))
    balanced = FineTuneSettings(class_weights="balanced")
    y = np.array([label for example in examples for label in example.labels])
    expected = compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=y)
    assert weights_of(examples, ("a", "b", "c"), balanced) == pytest.approx(tuple(expected))
    assert weights_of(examples, ("a", "b", "c"), FineTuneSettings()) is None


def test_given_weights_have_the_mean_1_over_the_examples() -> None:
    examples = labelled("a", "a", "a", "b")
    found = weights_of(examples, ("a", "b"), FineTuneSettings(class_weights={"a": 1, "b": 5}))
    assert found == pytest.approx((0.5, 2.5))
    with pytest.raises(DataError, match="'c' is on one side only"):
        weights_of(examples, ("a", "b"), FineTuneSettings(class_weights={"a": 1, "b": 5, "c": 1}))
