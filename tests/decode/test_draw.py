"""The draw: the law that it must follow, and nothing else that it may depend on."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trivium.decode.draw import draw, row_generators
from trivium.decode.rules import apply_rules
from trivium.decode.sampling import Sampling


def test_draws_follow_the_softmax_of_the_filtered_logits() -> None:
    """A chi-square test against the exact law; the seed is fixed, so it cannot fail by chance."""
    vocab, draws = 12, 20_000
    logits = torch.randn(1, vocab, generator=torch.Generator().manual_seed(5)) * 1.5
    history = torch.tensor([[1, 2, 2]])
    rules = Sampling(temperature=0.8, top_k=9, top_p=0.95, repetition_penalty=1.3).resolve().rules(3)
    filtered = apply_rules(rules, logits, history)
    expected = filtered.double().softmax(dim=-1)[0]
    generator = row_generators(seed=11, rows=1)
    counts = torch.zeros(vocab)
    for _ in range(draws):
        counts[draw(filtered, generator)] += 1
    assert counts[expected == 0].sum() == 0
    kept = expected > 0
    assert 2 < kept.sum() < vocab
    assert stats.chisquare(counts[kept].double(), expected[kept] * draws).pvalue > 0.01


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 4), row=st.integers(0, 3))
def test_a_row_draws_the_same_whatever_stands_beside_it(seed: int, rows: int, row: int) -> None:
    row = row % rows
    logits = torch.randn(rows, 50, generator=torch.Generator().manual_seed(seed % 1000))
    batch, single = row_generators(seed, rows), row_generators(seed, rows)[row : row + 1]
    for _ in range(5):
        assert draw(logits, batch)[row] == draw(logits[row : row + 1], single)[0]


@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([torch.float32, torch.bfloat16]))
def test_a_forbidden_token_is_never_drawn(seed: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.full((3, 40), -torch.inf, dtype=dtype)
    allowed = torch.randint(0, 40, (3, 1), generator=generator)
    logits.scatter_(1, allowed, 2.5)
    assert torch.equal(draw(logits, row_generators(seed, 3)), allowed.squeeze(1))
