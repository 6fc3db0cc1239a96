"""Answers are compared as SQuAD's script compares them."""

import pytest

from trivium.metrics.answers import exact_match, normalised, token_f1


@pytest.mark.parametrize(
    ("said", "right", "exact", "f1"),
    [
        ("the Denver Broncos!", ["Denver Broncos"], 1, 1),
        ("Broncos", ["Denver Broncos", "The Broncos"], 1, 1),
        ("Denver", ["Denver Broncos"], 0, 2 / 3),
        ("in the the year 1066 of", ["1066"], 0, 2 * (1 / 4) / (1 / 4 + 1)),
        ("Paris", ["London"], 0, 0),
        ("", [], 1, 1),
        ("London", [], 0, 0),
        ("", ["London"], 0, 0),
        ("the", ["an"], 1, 1),  # nothing is left of either
        ("cat cat dog", ["cat dog dog"], 0, 2 / 3),  # bags: each word as often as in both
        ("U.S.", ["US"], 1, 1),
    ],
)
def test_by_hand(said: str, right: list[str], exact: float, f1: float) -> None:
    assert exact_match(said, right) == exact
    assert token_f1(said, right) == pytest.approx(f1)


def test_articles_go_after_punctuation() -> None:
    assert normalised("  The 'a-team',\n an  Übermensch ") == "ateam übermensch"
