"""What tasks on texts share: the model's fingerprint, by which a job knows that it is the same."""

import torch

from tests.decode.tiny import speaker
from trivium.batch.of_texts import OfTexts, fingerprint
from trivium.language_model import LanguageModel


def test_the_fingerprint_sees_a_changed_weight() -> None:
    one, same, other = (LanguageModel(*speaker("gpt2", seed)) for seed in (0, 0, 1))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    with torch.no_grad():
        same.model.tokens.weight[0, 0] += 1
    assert fingerprint(one) != fingerprint(same)


def test_results_say_which_texts_were_cut() -> None:
    lm = LanguageModel(*speaker("bert"))
    texts, results = ["Nobody knew.", "boats " * 70], [{"n": 1}, {"n": 2}]
    assert OfTexts(lm).with_cut(texts, results) == results
    assert OfTexts(lm, truncate=True).with_cut(texts, results) == [{"n": 1, "cut": False}, {"n": 2, "cut": True}]
    assert OfTexts(lm).reason([("text", texts[1])]) == "more than 64 tokens"
    assert OfTexts(lm, truncate=True).reason([("text", texts[1])]) is None
