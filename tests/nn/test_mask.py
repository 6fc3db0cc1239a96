"""Who may look at whom: the picture of the docstring, and the rule for every pair."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trivium.nn.mask import Mask, cross_mask, self_mask

CPU = torch.device("cpu")
ROWS = st.integers(1, 9).flatmap(lambda n: st.lists(st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=1))


def test_the_picture() -> None:
    picture = """
        1 × × × × ×
        1 1 × × × ×
        1 1 1 × × ×
        × × × 1 × ×
        × × × 1 1 ×
        × × × × × 1
    """
    drawn = [[mark == "1" for mark in line.split()] for line in picture.strip().splitlines()]
    documents = torch.tensor([[1, 1, 1, 2, 2, 0]])
    assert self_mask(documents, documents, 0, 6, True, CPU).allowed[0, 0].tolist() == drawn


@given(rows=ROWS, causal=st.booleans(), past_share=st.floats(0, 1))
def test_every_pair_follows_the_rule(rows: list[list[int]], causal: bool, past_share: float) -> None:
    """Equal numbers, and not the future; the last columns are new, and see those of before."""
    keys = torch.tensor(rows)
    past = int(past_share * (keys.shape[1] - 1))
    mask = self_mask(keys[:, past:], keys, past, keys.shape[1] - past, causal, CPU)
    assert not mask.causal
    for row, query, key in itertools.product(range(len(rows)), range(past, keys.shape[1]), range(keys.shape[1])):
        expected = rows[row][query] == rows[row][key] and (key <= query or not causal)
        assert mask.allowed[row, 0, query - past, key] == expected
    assert mask.allowed.any(dim=-1).all(), "no query is left without a key"


@pytest.mark.parametrize(
    ("past", "new", "causal", "expected"),
    [
        (0, 5, False, Mask()),
        (0, 5, True, Mask(causal=True)),
        (7, 1, True, Mask()),
    ],
)
def test_no_matrix_where_none_is_needed(past: int, new: int, causal: bool, expected: Mask) -> None:
    assert self_mask(None, None, past, new, causal, CPU) == expected


def test_several_new_tokens_after_a_past_see_it_and_themselves() -> None:
    allowed = self_mask(None, None, 2, 3, True, CPU).allowed
    assert allowed[0, 0].int().tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]


def test_a_bias_is_added_where_looking_is_allowed() -> None:
    bias = torch.arange(2.0 * 3 * 3).view(1, 2, 3, 3)
    assert torch.equal(Mask().with_bias(bias).allowed, bias)

    future = np.triu(np.ones((3, 3), dtype=bool), k=1)
    expected = np.where(future, -np.inf, bias.numpy())
    causal = Mask(causal=True).with_bias(bias)
    assert not causal.causal, "the matrix says it all: the fast path forbids one"
    np.testing.assert_array_equal(causal.allowed.numpy(), expected)

    documents = torch.tensor([[1, 1, 0], [1, 2, 2]])
    both = self_mask(documents, documents, 0, 3, False, CPU)
    equal = (documents[:, :, None] == documents[:, None, :])[:, None].numpy()
    np.testing.assert_array_equal(both.with_bias(bias).allowed.numpy(), np.where(equal, bias.numpy(), -np.inf))


def test_a_causal_bias_in_the_last_rows_lets_the_past_be_seen() -> None:
    allowed = Mask(causal=True).with_bias(torch.zeros(1, 1, 2, 5)).allowed
    assert torch.isfinite(allowed)[0, 0].int().tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]


@given(queries=st.lists(st.integers(0, 3), min_size=1, max_size=6), memory=st.lists(st.integers(0, 3), min_size=1))
def test_the_memory_is_seen_by_its_own_document(queries: list[int], memory: list[int]) -> None:
    mask = cross_mask(torch.tensor([queries]), torch.tensor([memory]), len(queries))
    expected = [[query in (0, key) for key in memory] for query in queries]
    assert mask.allowed[0, 0].tolist() == expected


def test_without_numbers_a_decoder_reads_the_first_document_of_the_memory() -> None:
    assert cross_mask(torch.tensor([[1, 1]]), None, 2) == Mask()
    assert cross_mask(None, torch.tensor([[1, 1, 0]]), 2).allowed[0, 0].int().tolist() == [[1, 1, 0]] * 2


@given(rows=ROWS, causal=st.booleans(), window=st.integers(1, 10), past_share=st.floats(0, 1))
def test_a_window_hides_what_is_that_far_away(
    rows: list[list[int]], causal: bool, window: int, past_share: float
) -> None:
    documents = torch.tensor(rows)
    keys = documents.shape[1]
    past = min(int(past_share * keys), keys - 1)
    for known in (documents, None):
        queries = None if known is None else known[:, past:]
        mask = self_mask(queries, known, past, keys - past, causal or known is None, CPU, window)
        causal_here = causal or known is None
        for row, query, key in itertools.product(range(len(rows)), range(keys - past), range(keys)):
            i = past + query
            seen = abs(i - key) < window and (key <= i or not causal_here)
            seen = seen and (known is None or rows[row][i] == rows[row][key])
            if mask.allowed is None:
                assert seen or (mask.causal and key > i)
            else:
                assert bool(mask.allowed.expand(len(rows), -1, -1, -1)[row, 0, query, key]) == seen
