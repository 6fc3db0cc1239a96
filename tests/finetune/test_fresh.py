"""New models: tokens from the examples, weights from the seed, of all three families."""

import pytest
import torch
import transformers as hf

from trivium.data.examples import Example, Examples, LabelledText, Question, TaggedWords, TextPair
from trivium.errors import DataError
from trivium.finetune.fresh import fresh_model
from trivium.finetune.fresh_settings import FreshSettings

TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy")
ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
THINGS = ("goats", "hills", "kings", "queens", "jokes", "quilts", "vines", "waxworks", "dozens", "bells")
NUMBERS = [
    f"There are {tens}-{ones} {THINGS[(7 * n + m) % 10]} in the year {1000 + 37 * n + 411 * m}."
    for n, tens in enumerate(TENS)
    for m, ones in enumerate(ONES)
]
KINDS: dict[str, list[Example]] = {
    "text-to-text": [TextPair(text, (text.upper(),)) for text in NUMBERS],
    "classification": [LabelledText((text, text.upper()), "yes") for text in NUMBERS],
    "tagging": [TaggedWords(tuple(text.split()), ("O",) * len(text.split())) for text in NUMBERS],
    "extraction": [Question("How many?", text, (text.split()[2],), (10,)) for text in NUMBERS],
}


@pytest.mark.parametrize("form", KINDS)
def test_its_tokens_are_of_the_examples_and_its_weights_of_the_seed(form: str) -> None:
    settings = FreshSettings(family="bart", vocabulary=300, dim=32, depth=1, heads=2, positions=16)
    examples = Examples(form, tuple(KINDS[form]))  # type: ignore[arg-type]
    one, same, other = (fresh_model(settings, examples, seed) for seed in (0, 0, 1))
    assert one.tokenizer.vocabulary == one.architecture.vocab == 300
    assert len(one.tokenizer.encode("twenty-six")) < 10
    ids = torch.tensor([one.tokenizer.encode("twenty")])
    assert torch.equal(one.logits(ids, None, ids), same.logits(ids, None, ids))
    assert not torch.equal(one.logits(ids, None, ids), other.logits(ids, None, ids))


@pytest.mark.parametrize(("family", "kind"), [("bert", hf.AutoModel), ("gpt2", hf.AutoModelForCausalLM)])
def test_saved_it_is_a_published_class(family: str, kind: type, tmp_path) -> None:
    settings = FreshSettings(family=family, vocabulary=300, dim=32, depth=1, heads=2, positions=16)
    lm = fresh_model(settings, Examples("text-to-text", tuple(KINDS["text-to-text"])))
    lm.save(tmp_path)
    assert kind.from_pretrained(tmp_path).config.model_type == family


def test_too_little_text_for_its_tokens() -> None:
    few = Examples("text-to-text", (TextPair("a", ("b",)),))
    with pytest.raises(DataError, match="vocabulary"):
        fresh_model(FreshSettings(family="t5", vocabulary=5000, dim=32, heads=2), few)
