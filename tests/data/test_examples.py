"""Examples keep their labels' shares when they are split, and never stand on both sides."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.data.examples import Examples, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import DataError, UsageError


def labelled(*pairs: tuple[str, str]) -> Examples:
    return Examples("classification", tuple(LabelledText(text, label) for text, label in pairs), "pairs.csv")


@given(
    st.lists(st.tuples(st.text("abc", min_size=1, max_size=3), st.sampled_from("xy")), min_size=4), st.integers(0, 9)
)
def test_a_text_is_never_on_both_sides(pairs: list[tuple[str, str]], seed: int) -> None:
    examples = labelled(*pairs)
    try:
        kept, out = examples.split(0.4, seed)
    except UsageError:
        assert len({text for text, _ in pairs}) < 4  # too few different ones
        return
    assert not {one.text for one in kept if isinstance(one, LabelledText)} & {
        one.text for one in out if isinstance(one, LabelledText)
    }
    assert Counter([*kept, *out]) == Counter(examples)


def test_each_label_keeps_its_share() -> None:
    examples = labelled(*((f"text {number}", "rare" if number % 10 == 0 else "common") for number in range(1000)))
    kept, out = examples.split(0.2)
    assert out.label_counts == {"common": 180, "rare": 20}
    assert kept.label_counts == {"common": 720, "rare": 80}
    assert examples.split(0.2)[1].fingerprint == out.fingerprint != examples.split(0.2, seed=1)[1].fingerprint


def test_rare_labels_together_have_their_share() -> None:
    examples = labelled(*((f"text {number}", f"label {number}") for number in range(100)))
    assert len(examples.split(0.2)[1]) == 20


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 2.0])
def test_a_share_is_between_0_and_1(share: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        labelled(("a", "x"), ("b", "y")).split(share)


def test_one_example_cannot_be_split() -> None:
    with pytest.raises(UsageError, match=r"pairs\.csv has 2 examples"):
        labelled(("a", "x"), ("a", "x")).split(0.5)


def test_a_sample_is_drawn_by_its_seed() -> None:
    examples = labelled(*((f"text {number}", "x") for number in range(100)))
    assert examples.sample(10).fingerprint == examples.sample(10).fingerprint != examples.sample(10, 1).fingerprint
    assert len(examples.sample(10)) == 10
    assert examples.sample(1000) is examples


def test_what_was_skipped_is_said_of_a_part_too() -> None:
    examples = replace(labelled(*((f"text {n}", "x") for n in range(20))), skipped={"no text": 2})
    taught, held_out = examples.split(0.5)
    assert (taught.skipped, held_out.skipped, examples.sample(5).skipped) == ({"no text": 2}, {}, {"no text": 2})
    assert examples.pick([0]).skipped == {}


def test_labels_of_every_form() -> None:
    assert LabelledText("a", ("x", "y")).labels == ("x", "y")
    assert LabelledText("a", 0.5).labels == ()
    assert Examples("tagging", (TaggedWords(("a", "b"), ("O", "B-PER")),)).label_counts == {"B-PER": 1, "O": 1}
    assert Question("q", "c", (), ()).labels == TextPair("a", ("b",)).labels == ()


def test_what_is_to_be_done_asks_for_its_form() -> None:
    examples = labelled(("a", "x"))
    assert examples.require("classification", "regression", what="this") is examples
    with pytest.raises(DataError, match=r"pairs\.csv holds examples of classification, and tagging needs tagging"):
        examples.require("tagging", what="tagging")


def test_what_there_is_as_data() -> None:
    assert labelled(("a", "x"), ("b", "x")).to_dict() == {
        "form": "classification",
        "where": "pairs.csv",
        "examples": 2,
        "labels": {"x": 2},
        "skipped": {},
    }
