"""One weight or one word that differs is another model."""

import torch

from tests.decode.tiny import speaker, tokenizer
from trivium.evaluate.identity import identity_of
from trivium.language_model import LanguageModel


def test_equal_models_are_one_and_others_are_not() -> None:
    lm = LanguageModel(*speaker("gpt2"))
    assert identity_of(lm) == identity_of(LanguageModel(*speaker("gpt2")))
    changed = LanguageModel(*speaker("gpt2"))
    with torch.no_grad():
        next(changed.model.parameters()).view(-1)[-1] += 1e-3
    half = LanguageModel(speaker("gpt2")[0].to(torch.bfloat16), lm.tokenizer)
    other_words = LanguageModel(lm.model, tokenizer("wordpiece"))
    assert len({identity_of(each) for each in (lm, changed, half, other_words)}) == 4
