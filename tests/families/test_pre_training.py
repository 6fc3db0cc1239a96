"""Models of two heads: what they are, and which families have them."""

import pytest

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families.pre_training import pre_training
from trivium.families.registry import family_named


def test_bert_has_both_heads() -> None:
    """Pooler and projection are D^2 + D and 2 D + 2 parameters more than the masked language model."""
    size = {"vocab": 61, "dim": 24, "depth": 2, "heads": 3, "positions": 40}
    alone, both = family_named("bert").preset(**size), pre_training(family_named("bert")).preset(**size)
    assert both.head == alone.head
    assert both.task == arch.SequenceLabels(("LABEL_0", "LABEL_1"), transform=True)
    assert both.parameters == alone.parameters + 24 * 24 + 24 + 2 * 24 + 2


@pytest.mark.parametrize("name", ["roberta", "gpt2"])
def test_a_family_without_such_a_class_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=f"no published class of {name} has one. Train bert"):
        pre_training(family_named(name))
