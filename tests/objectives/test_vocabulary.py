import pytest

from tests.objectives.vocabularies import VOCABULARY
from trivium.errors import UsageError
from trivium.objectives.registry import objective
from trivium.objectives.vocabulary import Vocabulary, required
from trivium.text.training import train_tokenizer

TEXTS = [f"Sentence {n} says that {n} is a number and that {n + 1} follows it." for n in range(60)]


@pytest.mark.parametrize(
    ("kind", "size", "name"), [("bpe", 280, "causal"), ("wordpiece", 250, "masked"), ("unigram", 200, "span")]
)
def test_a_tokenizer_of_each_kind_is_one(kind: str, size: int, name: str) -> None:
    tokenizer = train_tokenizer(kind, TEXTS, size)
    assert isinstance(tokenizer, Vocabulary)
    made = objective(name, tokenizer, 32)
    assert made.pad == tokenizer.pad_id


def test_a_missing_token_is_named_with_the_kinds_that_have_it() -> None:
    assert isinstance(VOCABULARY, Vocabulary)
    assert required(0, "a padding token", "span") == 0
    with pytest.raises(UsageError, match="'span' needs a padding token, and the tokenizer has none"):
        required(None, "a padding token", "span")
    with pytest.raises(UsageError, match="'masked' needs a mask token"):
        objective("masked", train_tokenizer("bpe", TEXTS, 280), 32)
