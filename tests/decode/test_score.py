"""Scores of given texts: the sum of log-softmaxes over their tokens, whatever they are batched with."""

import json

import pytest
import torch

from tests.decode.tiny import speaker
from trivium.decode.score import Score, score
from trivium.errors import UsageError
from trivium.families import gpt2
from trivium.families.registry import family_named
from trivium.model import Transformer

PAIRS = [([5, 6, 7], [8, 9]), ([5], [10, 11, 12, 13]), ([6, 6, 6, 6, 6, 6], [3]), ([7, 8], [9, 20, 4])]


@pytest.mark.parametrize("family", ["gpt2", "llama", "t5"])
def test_scores_are_sums_of_log_probabilities(family: str) -> None:
    model, words = speaker(family)
    start = words.pad_id
    scores = score(model, PAIRS, start, rows=3)
    for (prompt, completion), found in zip(PAIRS, scores, strict=True):
        with torch.no_grad():
            if family == "t5":
                logits = model(torch.tensor([prompt]), None, torch.tensor([[start, *completion[:-1]]]))[0]
            else:
                logits = model(torch.tensor([[*prompt, *completion[:-1]]]))[0, len(prompt) - 1 :]
        logprobs = logits.log_softmax(dim=-1)
        assert found.logprob == pytest.approx(float(logprobs[range(len(completion)), completion].sum()), abs=1e-4)
        assert found.tokens == len(completion)
        assert found.greedy == (logits.argmax(dim=-1).tolist() == completion)
        assert json.loads(json.dumps(found.to_dict()))["logprob_per_token"] == found.logprob / found.tokens


def test_what_greedy_decoding_says_is_greedy() -> None:
    model, _ = speaker("gpt2")
    with torch.no_grad():
        best = int(model(torch.tensor([[5, 6]]))[0, -1].argmax())
    assert [one.greedy for one in score(model, [([5, 6], [best]), ([5, 6], [best ^ 1])])] == [True, False]


def test_no_pairs_no_scores() -> None:
    assert score(speaker("gpt2")[0], []) == []


def test_what_has_no_score_is_refused() -> None:
    model = Transformer(gpt2.preset(vocab=20, dim=8, depth=1, heads=2, positions=6)).eval()
    assert isinstance(score(model, [([1, 2, 3], [4, 5, 6, 7])])[0], Score)
    with pytest.raises(UsageError, match="Pair 0 takes 7 positions; this model has 6"):
        score(model, [([1, 2, 3], [4, 5, 6, 7, 8])])
    with pytest.raises(UsageError, match="Pair 1 has an empty completion"):
        score(model, [([1], [2]), ([1], [])])
    with pytest.raises(UsageError, match="An encoder gives no probability"):
        score(speaker("bert")[0], [([1], [2])])
    with pytest.raises(UsageError, match="start_id"):
        score(speaker("t5")[0], [([1], [2])])


def many(count: int) -> list[tuple[list[int], list[int]]]:
    """Prompts that begin alike in several ways, each with completions that begin alike or are one another's start."""
    shots, others = list(range(3, 33)), list(range(3, 20))
    pairs: list[tuple[list[int], list[int]]] = []
    for item in range(count):
        prompt = [*(shots if item % 3 else others), *range(40, 40 + item % 5), 60 + item]
        pairs += [(prompt, [9, 20]), (prompt, [9, 20, 4]), (prompt, [9, 21]), (prompt, [11])]
    return [*pairs, ([5], [6]), (shots, [40]), (shots, [40])]


@pytest.mark.parametrize("family", ["gpt1", "gpt2", "gpt3", "gopher", "llama", "bloom", "opt", "t5", "bart"])
def test_sharing_changes_no_score(family: str) -> None:
    made = family_named(family).preset(vocab=120, dim=24, depth=2, heads=2, positions=64)
    model = Transformer(made, torch.Generator().manual_seed(0)).eval()
    pairs = many(12)
    shared, alone = score(model, pairs, 1, rows=5), score(model, pairs, 1, rows=5, share=False)
    assert [one.logprob for one in shared] == pytest.approx([one.logprob for one in alone], abs=1e-5)
    assert [(one.tokens, one.greedy) for one in shared] == [(one.tokens, one.greedy) for one in alone]


def test_shared_work_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = speaker("gpt2")
    read: list[int] = []
    decode = Transformer.decode

    def counted(self: Transformer, input_ids: torch.Tensor, *more: object, **given: object) -> torch.Tensor:
        read.append(input_ids.numel())
        return decode(self, input_ids, *more, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Transformer, "decode", counted)
    prompts = [[*range(3, 43), item] for item in range(50, 60)]
    score(model, [(prompt, [label]) for prompt in prompts for label in (7, 8, 9)])
    assert sum(read) == 40 + 10  # the 40 tokens once, then the last of each prompt: its state judges all three labels


def test_progress_is_told_in_pairs() -> None:
    heard: list[int] = []
    score(speaker("gpt2")[0], many(6), rows=4, told=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == len(many(6))
