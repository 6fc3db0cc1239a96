"""Rewards: the loss by hand, a head that transformers opens with the same numbers, and ranks that were not taught."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from tests.decode.tiny import tokenizer
from tests.finetune.test_conversation import _lm
from tests.finetune.test_preference import PAIRS, SETTINGS
from trivium.data.examples import Examples, Preference
from trivium.errors import UsageError
from trivium.families.registry import family_named
from trivium.finetune.batching import in_order
from trivium.finetune.heads import starting_model
from trivium.finetune.reward import prepare_reward, ranked, reward_loss, rewards
from trivium.finetune.run import finetune
from trivium.language_model import LanguageModel
from trivium.model import Transformer


def _model(family: str) -> LanguageModel:
    if family in ("gpt2", "t5"):
        return _lm(family)
    words = tokenizer("wordpiece")
    shape = family_named(family).preset(vocab=words.vocabulary, dim=32, depth=1, heads=2, positions=128)
    return LanguageModel(Transformer(shape, torch.Generator().manual_seed(0)).eval(), words)


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_it_ranks_what_it_was_not_taught_and_opens_in_transformers(family: str, tmp_path: Path) -> None:
    lm, train, held_out = _model(family), PAIRS.pick(range(4)), PAIRS.pick(range(4, 6))
    done = finetune(lm, train, tmp_path, settings=SETTINGS, task="reward")
    taught = done.load("cpu")
    assert done.labels == ("reward",)
    found = ranked(taught.model, prepare_reward(taught, held_out, (), SETTINGS))
    assert found.right.value == 1.0
    assert found.margin.value > 0
    pair = held_out.examples[0]
    assert isinstance(pair, Preference)
    ours = rewards(taught, pair.turns, (pair.chosen, pair.rejected))
    assert ours[0] > ours[1]
    theirs = hf.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    for answer, reward in zip((pair.chosen, pair.rejected), ours, strict=True):
        read = taught.tokenizer.framed(pair.turns[0][1], answer)
        extra = {"token_type_ids": torch.tensor([read.type_ids])} if family == "bert" else {}
        with torch.no_grad():
            said = theirs(torch.tensor([read.ids]), **extra).logits
        assert float(said[0, 0]) == pytest.approx(float(reward), abs=1e-4)


def test_the_loss_is_that_of_bradley_and_terry() -> None:
    """Of rewards that the head says of each text, by numpy."""
    lm = _lm()
    ready = prepare_reward(lm, PAIRS, (), SETTINGS)
    model = starting_model(lm.model, ready.architecture, 0).eval()
    head = LanguageModel(model, lm.tokenizer)
    expected = 0.0
    for pair in PAIRS:
        assert isinstance(pair, Preference)
        chosen, rejected = rewards(head, pair.turns, (pair.chosen, pair.rejected))
        expected += float(np.log1p(np.exp(rejected - chosen)))
    with torch.no_grad():
        losses = [reward_loss(model, batch) for batch in in_order(ready.rows, ready.pad, ready.batching, 4)]
    assert sum(loss.targets for loss in losses) == len(PAIRS)
    assert sum(float(loss.loss_sum) for loss in losses) == pytest.approx(expected, rel=1e-5)


def test_what_cannot_be_read_is_said() -> None:
    lm = _lm()
    long = Examples("preference", (*PAIRS, Preference((("user", "the cat"),), "cats " * 100, "dogs")))
    with pytest.raises(UsageError, match=r"Pair 7 .*more tokens than are read"):
        prepare_reward(lm, long, (), SETTINGS)
    assert len(prepare_reward(lm, long, (), SETTINGS.model_copy(update={"too_long": "leave out"})).rows) == 6
    with pytest.raises(UsageError, match="no head for a reward"):
        rewards(lm, (("user", "the cat"),), ("cats",))
