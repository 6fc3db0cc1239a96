"""Every rule against Hugging Face's own processor, on random logits and on the edges."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import (
    LogitsProcessor,
    MinLengthLogitsProcessor,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from trivium.decode.rules import (
    ABSENT,
    GapsInOrder,
    LogitsRule,
    MinLength,
    MinP,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
    apply_rules,
)

VOCAB = 37
DTYPES = [torch.float32, torch.bfloat16]

RULES: list[tuple[LogitsRule, Callable[[], LogitsProcessor]]] = [
    *[(Temperature(t), lambda t=t: TemperatureLogitsWarper(t)) for t in (0.01, 0.7, 1.0, 3.0)],
    *[(TopK(k), lambda k=k: TopKLogitsWarper(k)) for k in (1, 2, 10, VOCAB - 1, VOCAB, VOCAB + 1, 10_000)],
    *[(TopP(p), lambda p=p: TopPLogitsWarper(p)) for p in (0.0, 1e-6, 0.3, 0.5, 0.9, 0.999999)],
    *[(MinP(p), lambda p=p: MinPLogitsWarper(p)) for p in (0.0, 0.05, 0.5, 0.99, 1.0)],
    *[(RepetitionPenalty(p), lambda p=p: RepetitionPenaltyLogitsProcessor(p)) for p in (0.5, 1.0, 1.2, 5.0)],
    *[(NoRepeatNgram(n), lambda n=n: NoRepeatNGramLogitsProcessor(n)) for n in (1, 2, 3, 9)],
    *[(MinLength(n, (3, 5)), lambda n=n: MinLengthLogitsProcessor(n, [3, 5])) for n in (0, 8, 9, 20)],
]
IDS = [str(rule) for rule, _ in RULES]


def random_case(seed: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Logits with ties and forbidden tokens in them, and a history that repeats itself."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(4, VOCAB, generator=generator) * 3
    logits[1] = (logits[1] * 2).round() / 2  # ties
    logits[2, torch.randperm(VOCAB, generator=generator)[: VOCAB // 2]] = -torch.inf
    logits[3] = 0.0  # all equal
    return logits.to(dtype), torch.randint(0, 6, (4, 8), generator=generator)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("rule", "oracle"), RULES, ids=IDS)
def test_equals_hugging_face_on_random_logits(
    rule: LogitsRule, oracle: Callable[[], LogitsProcessor], dtype: torch.dtype
) -> None:
    for seed in range(5):
        logits, history = random_case(seed, dtype)
        before = logits.clone()
        ours = rule(logits, history)
        assert ours.dtype == dtype
        assert torch.equal(logits, before)
        assert torch.equal(ours, oracle()(history, logits.clone()))


@settings(max_examples=60, deadline=None)
@given(
    logits=st.lists(st.sampled_from([-math.inf, -2.5, -1.0, 0.0, 0.0, 1.0, 1.0, 7.25]), min_size=2, max_size=9).filter(
        lambda row: max(row) > -math.inf
    ),
    choice=st.integers(0, len(RULES) - 1),
)
def test_equals_hugging_face_on_ties_and_forbidden_tokens(logits: list[float], choice: int) -> None:
    rule, oracle = RULES[choice]
    if isinstance(rule, MinLength) and len(logits) <= max(rule.end_ids):
        return
    row = torch.tensor([logits])
    history = torch.tensor([[0, 1, 0, 1, 0, 0, 1, 1]])
    assert torch.equal(rule(row, history), oracle()(history, row.clone()))


def test_ties_at_the_kth_value_are_all_kept() -> None:
    logits = torch.tensor([[1.0, 2.0, 2.0, 3.0, 2.0, 0.0]])
    kept = TopK(2)(logits, torch.zeros(1, 0, dtype=torch.long)).isfinite()
    assert kept.tolist() == [[False, True, True, True, True, False]]


@pytest.mark.parametrize(
    "rule", [TopK(0), TopK(VOCAB), TopP(1.0), MinP(0.0), RepetitionPenalty(1.0), Temperature(1.0)], ids=str
)
def test_the_idle_value_keeps_everything(rule: LogitsRule) -> None:
    logits, history = random_case(0, torch.float32)
    assert torch.equal(rule(logits, history), logits)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_temperature_zero_is_the_limit_of_small_temperatures_and_greedy(dtype: torch.dtype) -> None:
    logits, history = random_case(3, dtype)
    ruled = Temperature(0.0)(logits, history)
    assert ruled.isfinite().sum(dim=-1).tolist() == [1, 1, 1, 1]
    assert torch.equal(ruled.argmax(dim=-1), logits.argmax(dim=-1))
    small = Temperature(1e-4)(logits[:1].float(), history[:1]).softmax(dim=-1)
    assert torch.allclose(small, ruled[:1].float().softmax(dim=-1))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), p=st.floats(0, 1))
def test_the_nucleus_is_the_smallest_set_with_that_mass(seed: int, p: float) -> None:
    logits = torch.randn(1, VOCAB, generator=torch.Generator().manual_seed(seed)).double()
    kept = TopP(p)(logits, torch.zeros(1, 0, dtype=torch.long)).isfinite()
    mass = logits.softmax(dim=-1)[kept]
    assert kept.sum() >= 1
    assert mass.sum() >= p - 1e-9
    assert kept.sum() == 1 or mass.sum() - mass.min() < p + 1e-9
    assert mass.min() >= logits.softmax(dim=-1)[~kept].max() if (~kept).any() else p > 0


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), choice=st.integers(0, len(RULES) - 1), cut=st.integers(1, 7))
def test_padding_left_of_a_history_changes_nothing(seed: int, choice: int, cut: int) -> None:
    rule, _ = RULES[choice]
    if isinstance(rule, MinLength):  # counts the padding, as its caller does
        return
    logits, history = random_case(seed, torch.float32)
    padded = history.clone()
    padded[:, :cut] = ABSENT
    assert torch.equal(rule(logits, padded), rule(logits, history[:, cut:]))


def test_rules_compose_in_order() -> None:
    logits, history = random_case(1, torch.float32)
    rules = [RepetitionPenalty(1.3), Temperature(2.0), TopK(9), TopP(0.8), MinP(0.1)]
    expected = logits
    for oracle in (
        RepetitionPenaltyLogitsProcessor(1.3),
        TemperatureLogitsWarper(2.0),
        TopKLogitsWarper(9),
        TopPLogitsWarper(0.8),
        MinPLogitsWarper(0.1),
    ):
        expected = oracle(history, expected.clone())
    assert torch.equal(apply_rules(rules, logits, history), expected)
    assert torch.equal(apply_rules([], logits, history), logits)
    sharp_then_filtered = apply_rules([Temperature(0.2), TopP(0.8)], logits, history)
    filtered_then_sharp = apply_rules([TopP(0.8), Temperature(0.2)], logits, history)
    assert sharp_then_filtered.isfinite().sum() < filtered_then_sharp.isfinite().sum()


def test_gaps_are_filled_in_order_each_with_text() -> None:
    """Sentinels 9, 8, 7 (two gaps to fill), end 1: what may follow each history."""
    rule = GapsInOrder(gaps=(9, 8), sentinels=frozenset({9, 8, 7}), end_ids=frozenset({1}))
    text = {0, 2, 3, 4, 5, 6}
    allowed = {
        (0,): {9},
        (0, 9): text,
        (0, 9, 3): text | {8},
        (0, 9, 3, 8): text,
        (0, 9, 3, 8, 4): text | {1},
    }
    for history, expected in allowed.items():
        logits = rule(torch.zeros(1, 10), torch.tensor([history]))[0]
        assert {token for token in range(10) if logits[token] == 0} == expected, history
