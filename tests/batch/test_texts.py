"""Why a text cannot be read, in words that many rows share."""

import pytest

from tests.decode.tiny import tokenizer
from trivium.batch.texts import LONGEST_CHARACTERS, no_room, texts_refused, tokens_of

WORDS = tokenizer("wordpiece")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Nobody knew.", None),
        (None, "no text"),
        (" \n", "no text"),
        (4.5, "a text that is a number"),
        (True, "a text that is a truth value"),
        (["a"], "a text that is a list"),
        (b"a", "a text that is of type bytes"),
        ("\u200b\u200b", "a text without a token"),
        ("x" * (LONGEST_CHARACTERS + 1), "a text of more than 1,000,000 characters"),
        ("Nobody knew " * 30, "more than 20 tokens"),
    ],
)
def test_the_reason_is_said(text: object, reason: str | None) -> None:
    assert texts_refused(WORDS, [("text", text)], 20) == reason


def test_the_limit_is_of_all_that_is_read_together() -> None:
    one, two = "Nobody knew.", "She counted the boats."
    both = tokens_of(WORDS, (one, two))
    assert both == tokens_of(WORDS, one) + tokens_of(WORDS, two) - 1  # [CLS] one [SEP] two [SEP]
    assert texts_refused(WORDS, [("text", one), ("second text", two)], both) is None
    assert texts_refused(WORDS, [("text", one), ("second text", two)], both - 1) == f"more than {both - 1} tokens"
    assert texts_refused(WORDS, [("text", one), ("second text", "")], None) == "no second text"


def test_a_first_text_leaves_room_for_the_second() -> None:
    pair = [("question", "Who knew?"), ("context", "Nobody knew.")]
    alone = tokens_of(WORDS, ("Who knew?", ""))
    assert no_room(WORDS, pair, alone + 1) is None
    assert no_room(WORDS, pair, alone) == f"a question that leaves no room for the context within {alone} tokens"
    assert no_room(WORDS, pair, None) is None
    assert no_room(WORDS, pair[:1], 1) is None
