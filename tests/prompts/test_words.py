"""Label words: one for each label, and none of them the beginning of another."""

import pytest

from trivium.errors import UsageError
from trivium.prompts.words import LabelWords


def test_a_label_is_its_own_word_unless_another_is_given() -> None:
    assert LabelWords.of(["a", "b"]).words == {"a": "a", "b": "b"}
    found = LabelWords.of(["0", "1"], {"1": "great", "0": "terrible"})
    assert (found.labels, str(found)) == (("0", "1"), "0: terrible, 1: great")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"neg": "bad"}, "'pos' has no word"),
        ({"neg": "bad", "pos": " "}, "'pos' has no word"),
        ({"neg": "bad", "pos": "good", "poss": "x"}, "'poss', which is no label.*Did you mean 'pos'"),
        ({"neg": "bad", "pos": "bad"}, "have one word, 'bad'"),
        ({"neg": "good", "pos": "goodness"}, "'good', begins that of 'pos', 'goodness'"),
        ({"neg": "bad", "pos": " good"}, "space around it"),
    ],
)
def test_bad_words_are_refused(words: dict[str, str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        LabelWords.of(["neg", "pos"], words)


def test_a_choice_is_among_two_at_least() -> None:
    with pytest.raises(UsageError, match="words for 1 labels"):
        LabelWords.of(["only"])
