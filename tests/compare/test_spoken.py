"""What a model writes, read as each form has it."""

import pytest

from trivium.compare.spoken import SpokenPredictor
from trivium.data.examples import Examples, Form, LabelledText, Question, TaggedWords
from trivium.evaluate.predictions import Prediction


class Writer:
    """Writes the same of everything, and keeps what it was asked."""

    forms: tuple[Form, ...] = ("text-to-text",)

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked: list[str] = []

    @property
    def how(self) -> dict[str, str]:
        return {"template": "{source}"}

    def predict(self, examples: Examples) -> list[Prediction]:
        examples.require(*self.forms, what="the writer")
        self.asked += [str(getattr(each, "source", "")) for each in examples]
        return [Prediction(self.text, input=text) for text in self.asked]


@pytest.mark.parametrize(
    ("form", "example", "written", "said"),
    [
        ("classification", LabelledText("fine", "good"), "good", "good"),
        ("classification", LabelledText("fine", "good"), "goood", "goood"),
        ("multi-label", LabelledText("fine", ("a", "b")), "a,  b, a,", ("a", "b")),
        ("multi-label", LabelledText("fine", ()), "", ()),
        ("regression", LabelledText("fine", 1.5), " 2.5", 2.5),
        ("regression", LabelledText("fine", 1.5), "many", 0.0),
        ("regression", LabelledText("fine", 1.5), "inf", 0.0),
        ("tagging", TaggedWords(("a", "b", "c"), ("O", "O", "O")), "O B-PER", ("O", "B-PER", "")),
        ("tagging", TaggedWords(("a",), ("O",)), "O O", ("O",)),
        ("extraction", Question("who", "it was I", ("I",), (7,)), "I", "I"),
    ],
)
def test_what_is_written_is_read(form: Form, example: LabelledText, written: str, said: object) -> None:
    writer = Writer(written)
    spoken = SpokenPredictor(writer, form)
    [prediction] = spoken.predict(Examples(form, (example,)))
    assert prediction.said == said
    assert prediction.input == writer.asked[0] != ""
    assert (spoken.forms, spoken.how) == ((form,), {"template": "{source}"})
