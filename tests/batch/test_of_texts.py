"""What tasks on texts share: what decides their results, and which texts were cut."""

import torch

from tests.decode.tiny import speaker
from trivium.batch.of_texts import OfTexts
from trivium.language_model import LanguageModel


def test_what_decides_the_results_is_the_model_and_the_options() -> None:
    one, same, other = (LanguageModel(*speaker("gpt2", seed)) for seed in (0, 0, 1))
    assert OfTexts(one).says("tag") == OfTexts(same).says("tag") != OfTexts(other).says("tag")
    assert OfTexts(one).says("tag") != OfTexts(one, truncate=True).says("tag")
    with torch.no_grad():
        same.model.tokens.weight[100, 10] += 1
    assert OfTexts(one).says("tag") != OfTexts(same).says("tag")


def test_results_say_which_texts_were_cut() -> None:
    lm = LanguageModel(*speaker("bert"))
    texts, results = ["Nobody knew.", "boats " * 70], [{"n": 1}, {"n": 2}]
    assert OfTexts(lm).with_cut(texts, results) == results
    assert OfTexts(lm, truncate=True).with_cut(texts, results) == [{"n": 1, "cut": False}, {"n": 2, "cut": True}]
    assert OfTexts(lm).reason([("text", texts[1])]) == "more than 64 tokens"
    assert OfTexts(lm, truncate=True).reason([("text", texts[1])]) is None
