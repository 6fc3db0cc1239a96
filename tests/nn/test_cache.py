"""The cache: columns written in place, positions that go on from the prompt, rows picked."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.test_architecture import TINY
from trivium.nn.cache import Cache, LayerCache

LLAMA, T5 = TINY["grouped"].decoder, TINY["t5 v1.1"].decoder


def test_room_follows_the_description() -> None:
    """Key-value heads, not heads: grouped queries have a small cache."""
    cache = Cache.empty(LLAMA, batch=3, capacity=11, dtype=torch.bfloat16)
    assert len(cache.layers) == LLAMA.depth
    assert {layer.keys.shape for layer in cache.layers} == {(3, 2, 11, 6)}
    assert {layer.values.dtype for layer in cache.layers} == {torch.bfloat16}
    assert (cache.capacity, cache.length, cache.padded) == (11, 0, False)


@given(pieces=st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_what_is_appended_is_what_is_read_without_a_copy(pieces: list[int]) -> None:
    new = torch.randn(2, 3, sum(pieces), 4)
    layer = LayerCache(torch.zeros(2, 3, 24, 4), torch.zeros(2, 3, 24, 4))
    start = 0
    for piece, length in zip(new.split(pieces, dim=2), pieces, strict=True):
        keys, values = layer.append(start, piece, -piece)
        start += length
        assert torch.equal(keys, new[:, :, :start])
        assert torch.equal(values, -new[:, :, :start])
        assert keys.data_ptr() == layer.keys.data_ptr()
    assert not layer.keys[:, :, start:].any()


def test_positions_go_on_from_the_first_real_token() -> None:
    cache = Cache.empty(LLAMA, batch=3, capacity=7)
    documents = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]])
    prompt = cache.extend(documents, 4)
    assert prompt[documents.bool()].tolist() == [0, 1, 2, 3, 0, 1, 0]
    assert cache.extend(None, 2).tolist() == [[4, 5], [2, 3], [1, 2]]
    assert cache.extend(None, 1).tolist() == [[6], [4], [3]]
    assert (cache.length, cache.padded) == (7, True)
    assert cache.documents.tolist() == [[1] * 7, [0, 0] + [1] * 5, [0] * 3 + [1] * 4]


def test_without_padding_no_mask_is_asked_for() -> None:
    cache = Cache.empty(LLAMA, batch=2, capacity=4)
    assert cache.extend(None, 3).tolist() == [[0, 1, 2]] * 2
    assert not cache.padded


def test_a_full_cache_is_our_mistake() -> None:
    cache = Cache.empty(LLAMA, batch=1, capacity=4)
    cache.extend(None, 3)
    with pytest.raises(AssertionError, match="full"):
        cache.extend(None, 2)


@given(rows=st.lists(st.integers(0, 2), min_size=1, max_size=5))
def test_rows_are_picked_with_everything_that_is_theirs(rows: list[int]) -> None:
    cache = Cache.empty(T5, batch=3, capacity=4)
    cache.extend(torch.tensor([[1, 1], [0, 1], [0, 1]]), 2)
    mark = torch.arange(3.0)[:, None, None, None]
    for layer in cache.layers:
        layer.append(0, mark.expand(3, 3, 2, 6), mark.expand(3, 3, 2, 6))
        layer.cross = (mark.expand(3, 3, 5, 6), mark.expand(3, 3, 5, 6))
    before = cache.documents.clone(), cache.next_position.clone()
    cache.reorder(torch.tensor(rows))
    for layer in cache.layers:
        assert layer.keys.shape == (len(rows), 3, 4, 6), "the room for what comes is kept"
        for tensor in (layer.keys[:, :, :2], layer.values[:, :, :2], *layer.cross):
            assert torch.equal(tensor, torch.tensor(rows)[:, None, None, None].expand_as(tensor).float())
    assert torch.equal(cache.documents, before[0][rows])
    assert torch.equal(cache.next_position, before[1][rows])
    assert cache.length == 2
