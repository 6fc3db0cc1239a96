"""Templates: what they render, where the answer goes, and which ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.data.examples import Example, Form, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import DataError, UsageError
from trivium.prompts.template import Rendered, Template, fields_of

REVIEW = Template("Review: {{ text }}\nSentiment: {{ label }}")


def test_an_example_is_cut_at_its_answer() -> None:
    found = REVIEW.render({"text": "Odd, {{ but }} fine."})
    assert found == Rendered("Review: Odd, {{ but }} fine.\nSentiment: ", "")
    assert found.complete("good") == "Review: Odd, {{ but }} fine.\nSentiment: good"
    assert Template("{{ text }} It was {{ label }}.\n").render({"text": "x"}) == Rendered("x It was ", ".\n")


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_stands_in_the_prompt_as_it_is(text: str) -> None:
    assert REVIEW.render({"text": text}).before == f"Review: {text}\nSentiment: "


@pytest.mark.parametrize(
    ("form", "example", "asked"),
    [
        ("classification", LabelledText("t", "l"), "Text: t\nLabel: "),
        ("classification", LabelledText(("t", "u"), "l"), "Text: t\nSecond text: u\nLabel: "),
        ("extraction", Question("q", "c", ("a",), (0,)), "c\nQuestion: q\nAnswer: "),
        ("text-to-text", TextPair("s", ("t",)), "Input: s\nOutput: "),
    ],
)
def test_every_form_has_a_default(form: Form, example: Example, asked: str) -> None:
    template = Template.default(form, pair=isinstance(getattr(example, "text", ""), tuple))
    template.check(form, example)
    assert template.render(fields_of(example)).before == asked


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{{ text }}", "misses a field: it needs one place for the answer"),
        ("Sentiment: {{ label }}", "misses a field: it never shows what is asked"),
        ("{{ txt }} {{ label }}", "the field 'txt'.*Did you mean 'text'"),
        ("{{ text }} {{ label }} {{ target }}", "has label and target"),
        ("{{ text }} {{ label", "is no Jinja"),
        ("{{ label }}: {{ text }}", "wants the answer before"),
        ("{{ text }} {{ label }} {{ label }}", "shows the answer 2 times"),
        ("{{ text }} {% if label %}{{ label }}{% endif %} {{ label | upper }}", "shows the answer 2 times"),
        ("{{ text }} {{ label | upper }}", "changes the answer"),
        ("{{ text.__class__ }} {{ label }}", "cannot be filled in: .*unsafe"),
        ("{{ text }}{% for i in range(10 ** 9) %}x{% endfor %}{{ label }}", "cannot be filled in: Range too big"),
        ("{{ text + 1 }} {{ label }}", "cannot be filled in"),
    ],
)
def test_a_bad_template_is_refused(source: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Template(source)


def test_a_template_must_suit_the_examples() -> None:
    with pytest.raises(UsageError, match="misses the field 'text_b'"):
        REVIEW.check("classification", LabelledText(("a", "b"), "l"))
    with pytest.raises(UsageError, match=r"reads \{\{ text_b \}\}, which the examples have not"):
        Template("{{ text }} {{ text_b }} {{ label }}").check("classification", LabelledText("a", "l"))
    with pytest.raises(UsageError, match=r"asks for \{\{ label \}\}.*whose answer is \{\{ target \}\}"):
        REVIEW.check("text-to-text", TextPair("a", ("b",)))
    Template("{{ question }} {{ answer }}").check("extraction", Question("q", "c", (), ()))  # a closed book is fair
    with pytest.raises(DataError, match="Words with tags and conversations are no task"):
        fields_of(TaggedWords(("a",), ("O",)))
    with pytest.raises(DataError, match="tagging cannot be prompted for"):
        Template.default("tagging")
