"""The parts share no example, keep their shares, and are the same for the same seed."""

import pytest

from tests.finetune.tiny import opposites
from trivium.compare.splits import make_splits
from trivium.data.examples import Examples, LabelledText, TextPair
from trivium.errors import DataError, UsageError


def numbered(count: int, labels: int = 2) -> Examples:
    return Examples(
        "classification", tuple(LabelledText(f"text {n}", f"label {n % labels}") for n in range(count)), "texts"
    )


def test_parts_share_nothing_and_hold_all() -> None:
    parts = make_splits(numbered(1000), held_out=0.2, choose=0.1)
    texts = [
        [each.text for each in part if isinstance(each, LabelledText)]
        for part in (parts.train, parts.choose, parts.held_out)
    ]
    assert [len(part) for part in texts] == [720, 80, 200]
    assert len({text for part in texts for text in part}) == 1000
    assert all(
        set(part.label_counts.values()) == {len(part) // 2} for part in (parts.train, parts.choose, parts.held_out)
    )


def test_equal_seeds_make_equal_parts_and_others_do_not() -> None:
    assert make_splits(numbered(100)).fingerprint == make_splits(numbered(100)).fingerprint
    assert make_splits(numbered(100)).fingerprint != make_splits(numbered(100), seed=1).fingerprint


def test_limits_draw_from_each_part() -> None:
    parts = make_splits(numbered(4000), choose=0.2, train_items=1000, held_out_items=50)
    assert (len(parts.train), len(parts.choose), len(parts.held_out)) == (1000, 250, 50)
    whole = make_splits(numbered(4000), choose=0.2)
    assert set(parts.held_out.examples) <= set(whole.held_out.examples)
    assert str(parts) == "1,000 to train on, 250 to choose by, 50 held out"


def test_other_examples_may_be_held_out() -> None:
    test = Examples("classification", (LabelledText("new", "label 0"),), "test")
    parts = make_splits(numbered(100), test=test)
    assert parts.held_out == test
    assert len(parts.train) + len(parts.choose) == 100


def test_labels_that_no_example_teaches_are_counted_and_not_chosen_by() -> None:
    rare = Examples("classification", (*numbered(100), LabelledText("alone", "rare")), "texts")
    test = Examples("classification", (*numbered(3), LabelledText("new", "unheard of")), "test")
    for seed in range(8):  # the rare one is to train on, or to choose by
        parts = make_splits(rare, test=test, seed=seed, choose=0.5)
        assert set(parts.choose.labels) <= set(parts.train.labels)
        assert parts.untaught == {"unheard of": 1}
    assert str(parts).endswith("4 held out, 1 of them with labels that no example teaches")
    assert parts.to_dict()["untaught"] == {"unheard of": 1}


def test_what_cannot_be_split_is_said() -> None:
    with pytest.raises(DataError, match=r"They are 'label 9'; taught are 'label 0', 'label 1'."):
        make_splits(numbered(100), test=Examples("classification", (LabelledText("new", "label 9"),), "test"))
    with pytest.raises(DataError, match="needs classification"):
        make_splits(opposites(), test=Examples("text-to-text", (TextPair("a", ("b",)),), "pairs"))
    with pytest.raises(UsageError, match="both sides need one"):
        make_splits(numbered(2), held_out=0.01)
