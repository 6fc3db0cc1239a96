"""The share of answers that end: a model that was taught its end, and one that never says it."""

from pathlib import Path

import pytest
import torch

from tests.finetune.test_conversation import PLAIN, _lm
from trivium.data.examples import Conversation, Examples, TextPair
from trivium.finetune.conversation import with_template
from trivium.finetune.run import finetune
from trivium.finetune.stopping import stopping

PAIRS = Examples("text-to-text", tuple(TextPair(f"the {word}", (f"{word}s",)) for word in ("cat", "dog", "mat")))


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_a_taught_model_stops(family: str, tmp_path: Path) -> None:
    settings = PLAIN.model_copy(update={"epochs": 100.0, "batch": 4, "learning_rate": 1e-2})
    done = finetune(_lm(family), PAIRS, tmp_path, settings=settings, task="conversation")
    found = stopping(done.load("cpu"), PAIRS, max_tokens=20)
    assert (found.stopped.value, found.prompts) == (1.0, 3)
    assert "3 answers that ended within 20 tokens" in found.remarks[0]


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_one_that_never_says_its_end_does_not(family: str) -> None:
    lm = with_template(_lm(family), PLAIN)
    end = lm.tokenizer.end_id
    assert end is not None
    with torch.no_grad():
        lm.model.tokens.weight[end] = 0.0  # the head is tied to it: its logit is 0, and others are larger
    talks = Examples("conversation", (Conversation((("system", "the sun"), ("user", "the cat"), ("assistant", "a"))),))
    found = stopping(lm, talks, max_tokens=8)
    assert (found.stopped.value, found.to_dict()["items"]) == (0.0, 1)
