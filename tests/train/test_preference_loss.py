"""Losses of preferences: by hand, and log-probabilities of answers as transformers has them."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from tests.decode.tiny import tokenizer
from trivium.errors import UsageError
from trivium.families.registry import family_named
from trivium.language_model import LanguageModel
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.objectives.collate import joined, padded
from trivium.objectives.seq2seq import answer_row, continuation_row
from trivium.train.preference_loss import LOSSES, PreferenceLoss, answer_logprobs, log_ratios, preference_loss

PAIRS = [([3, 4, 5], [6, 7, 1], [8, 1]), ([9, 3], [10, 1], [4, 5, 6, 1]), ([5], [1], [2, 1])]


def _lm(family: str) -> LanguageModel:
    words = tokenizer("bpe" if family == "gpt2" else "unigram")
    shape = family_named(family).preset(vocab=words.vocabulary, dim=32, depth=2, heads=2, positions=64)
    model = Transformer(shape, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return LanguageModel(model, words)


def _batch(family: str, labels: list[tuple[float, float]]) -> Batch:
    rows = []
    for prompt, *answers in PAIRS:
        ids = [np.array(each, dtype=np.int64) for each in (prompt, *answers)]
        both = (
            [continuation_row(ids[0], answer) for answer in ids[1:]]
            if family == "gpt2"
            else [answer_row(ids[0], answer, pad=0, start=0) for answer in ids[1:]]
        )
        rows.append(joined(both))
    batch = padded(rows, 0)
    return Batch(**{**vars(batch), "labels": torch.tensor(labels)})


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_an_answer_is_as_likely_as_transformers_says(family: str, tmp_path: Path) -> None:
    """Each answer alone there; here both lie in one row, beside those of other pairs."""
    lm = _lm(family)
    lm.save(tmp_path)
    theirs = (
        (hf.AutoModelForCausalLM if family == "gpt2" else hf.AutoModelForSeq2SeqLM).from_pretrained(tmp_path).eval()
    )
    expected = []
    with torch.no_grad():
        for prompt, *answers in PAIRS:
            for answer in answers:
                if family == "gpt2":
                    logits = theirs(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
                else:
                    logits = theirs(torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0, *answer[:-1]]])).logits[
                        0
                    ]
                expected.append(float(logits.log_softmax(-1).gather(-1, torch.tensor(answer)[:, None]).sum()))
        found = answer_logprobs(lm.model, _batch(family, [(0.0, 0.0)] * 3))
    torch.testing.assert_close(found.flatten(), torch.tensor(expected), atol=1e-4, rtol=0)


def test_the_losses_are_those_of_the_papers() -> None:
    """By hand: h = 2, β = 0.5, so that βh is 1 and σ(1) = 1 / (1 + 1/e)."""
    h = torch.tensor([2.0, -2.0])
    sure, unsure = -np.log(1 / (1 + np.exp(-1))), -np.log(1 / (1 + np.exp(1)))
    for name, wrong, expected in (
        ("dpo", 0.0, [sure, unsure]),
        ("dpo", 0.1, [0.9 * sure + 0.1 * unsure, 0.9 * unsure + 0.1 * sure]),
        ("ipo", 0.0, [1.0, 9.0]),
        ("hinge", 0.0, [0.0, 2.0]),
    ):
        torch.testing.assert_close(LOSSES[name](h, 0.5, wrong), torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_the_reference_is_taken_off(family: str) -> None:
    lm = _lm(family)
    with torch.no_grad():
        said = answer_logprobs(lm.model, _batch(family, [(0.0, 0.0)] * 3))
        same = _batch(family, [tuple(row) for row in said.tolist()])
        assert torch.allclose(log_ratios(lm.model, same), torch.zeros(3, 2), atol=1e-5)
        loss = preference_loss(PreferenceLoss(beta=0.3))(lm.model, same)
    assert loss.targets == 3
    assert float(loss.loss_sum) == pytest.approx(3 * np.log(2), rel=1e-5)


def test_one_step_makes_the_chosen_likelier() -> None:
    lm = _lm("gpt2")
    with torch.no_grad():
        said = answer_logprobs(lm.model, _batch("gpt2", [(0.0, 0.0)] * 3))
    batch = _batch("gpt2", [tuple(row) for row in said.tolist()])
    optimizer = torch.optim.SGD(lm.model.parameters(), lr=0.1)
    preference_loss(PreferenceLoss())(lm.model, batch).loss_sum.backward()
    optimizer.step()
    with torch.no_grad():
        ratios = log_ratios(lm.model, batch)
    assert bool((ratios[:, 0] > ratios[:, 1]).all())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"name": "dpi"}, r"no loss 'dpi'.*Did you mean 'dpo'"), ({"beta": 0.0}, "above 0"),
     ({"wrong": 0.5}, "below 0.5"), ({"name": "ipo", "wrong": 0.1}, "dpo alone")],
)  # fmt: skip
def test_wrong_settings_are_refused(wrong: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        PreferenceLoss(**wrong)
