"""Anything with forms and predict is a predictor, and one with `how` says how it asks."""

from tests.evaluate.stub import Told
from trivium.data.examples import Examples, LabelledText
from trivium.evaluate.predictions import Described, Prediction, Predictor


def test_what_a_predictor_is() -> None:
    told = Told.of(Examples("classification", (LabelledText("good", "pos"),)), [Prediction("pos")])
    assert isinstance(told, Predictor)
    assert isinstance(told, Described)
    assert not isinstance(object(), Predictor)


def test_a_prediction_as_json() -> None:
    assert Prediction(("B-PER", "O"), {}, "Ada wrote").to_dict() == {
        "said": ("B-PER", "O"),
        "scores": {},
        "input": "Ada wrote",
    }
