"""A lean is said where a label is said too often for chance, and only there."""

import numpy as np

from trivium.prompts.lean import Lean

LABELS = ["bad", "good"]


def test_a_lean_is_said() -> None:
    lean = Lean.of(["good"] * 90 + ["bad"] * 10, ["good"] * 50 + ["bad"] * 50, LABELS)
    assert lean.to == "good"
    assert str(lean) == "bad 10% (right 50%), good 90% (right 50%): leans to good"
    assert lean.to_dict() == {"said": lean.said, "right": lean.right, "leans_to": "good"}


def test_few_items_and_unequal_labels_are_no_lean() -> None:
    assert Lean.of(["good"] * 4, ["good", "good", "bad", "bad"], LABELS).to is None
    assert Lean.of(["good"] * 90 + ["bad"] * 10, ["good"] * 90 + ["bad"] * 10, LABELS).to is None
    assert Lean.of([], [], LABELS).to is None


def test_guessing_by_the_right_shares_is_seldom_called_a_lean() -> None:
    rng = np.random.default_rng(0)
    draws = rng.choice(LABELS, (300, 2, 60), p=[0.3, 0.7])
    assert sum(Lean.of(list(said), list(right), LABELS).to is not None for said, right in draws) <= 9
