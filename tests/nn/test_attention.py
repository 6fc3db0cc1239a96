"""Attention against the softmax written out, in float64: groups, masks, biases, and one query at a time."""

import math

import numpy as np
import pytest
import torch

from trivium import architecture as arch
from trivium.nn.attention import Attention, attend
from trivium.nn.cache import LayerCache
from trivium.nn.mask import Mask, self_mask
from trivium.nn.rotary import Rotary, rotate

CPU = torch.device("cpu")
DOCUMENTS = torch.tensor([[0, 0, 1, 1, 1, 2, 2], [1, 1, 1, 1, 1, 0, 0]])
GENERATOR = torch.Generator().manual_seed(0)
BIAS = torch.randn(1, 4, 7, 7, generator=GENERATOR, dtype=torch.float64)
PADDED = self_mask(DOCUMENTS, DOCUMENTS, 0, 7, True, CPU)

#: What attention may be told: nothing, the fast path, booleans, a bias for all rows, a bias for each.
MASKS = {
    "none": Mask(),
    "causal": Mask(causal=True),
    "documents": PADDED,
    "bias": Mask().with_bias(BIAS),
    "causal bias": Mask(causal=True).with_bias(BIAS),
    "documents and bias": PADDED.with_bias(BIAS),
}


def tensors(groups: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randn(2, heads, 7, 6, generator=generator, dtype=torch.float64) for heads in (4, groups, groups))


def written_out(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: Mask, scale: float) -> np.ndarray:
    """Equation 1 of Vaswani et al. 2017, one query at a time."""
    rows, heads, queries, size = q.shape
    keys = k.shape[2]
    if mask.allowed is None:
        added = np.triu(np.full((queries, keys), -np.inf), k=1) if mask.causal else np.zeros((queries, keys))
    elif mask.allowed.dtype == torch.bool:
        added = np.where(mask.allowed.numpy(), 0, -np.inf)
    else:
        added = mask.allowed.numpy()
    added = np.broadcast_to(added, (rows, heads, queries, keys))
    out = np.zeros((rows, heads, queries, size))
    for row, head, query in np.ndindex(rows, heads, queries):
        group = head // (heads // k.shape[1])
        scores = [float(q[row, head, query] @ key) * scale for key in k[row, group]] + added[row, head, query]
        weights = np.array([math.exp(score) for score in scores])
        out[row, head, query] = weights / weights.sum() @ v[row, group].numpy()
    return out


@pytest.mark.parametrize("groups", [4, 2, 1])
@pytest.mark.parametrize("name", MASKS)
def test_attention_is_the_softmax_written_out(name: str, groups: int) -> None:
    q, k, v = tensors(groups)
    found = attend(q, k, v, MASKS[name], scale=0.3)
    np.testing.assert_allclose(found.numpy(), written_out(q, k, v, MASKS[name], 0.3), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("groups", [4, 2, 1])
@pytest.mark.parametrize("name", sorted(set(MASKS) - {"causal"}))
def test_one_query_is_the_same_as_among_others(name: str, groups: int) -> None:
    """A lone query takes another path on a CPU; `causal` is no mask for it, as it is the last."""
    q, k, v = tensors(groups)
    together = attend(q, k, v, MASKS[name], scale=0.3)
    for query in range(7):
        allowed = MASKS[name].allowed
        mask = Mask(allowed=None if allowed is None else allowed[:, :, query : query + 1])
        alone = attend(q[:, :, query : query + 1], k, v, mask, scale=0.3)
        torch.testing.assert_close(alone, together[:, :, query : query + 1], rtol=1e-9, atol=1e-12)


def test_a_lone_query_has_the_same_gradients() -> None:
    gradients = []
    for rows in (1, 2):  # the second time twice the query, so that the general path is taken
        q, k, v = (tensor.requires_grad_() for tensor in tensors(2))
        attend(q[:, :, 3:4].expand(-1, -1, rows, -1), k, v, Mask(), scale=0.3)[:, :, 0].sin().sum().backward()
        gradients.append((q.grad, k.grad, v.grad))
    for first, second in zip(*gradients, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [None, 1.0])
@pytest.mark.parametrize("bias", [False, True])
def test_projections_and_heads(scale: float | None, bias: bool) -> None:
    described = arch.Attention(4, head_dim=6, kv_heads=2, qkv_bias=bias, out_bias=bias, scale=scale)
    attention = Attention(described, dim=10).double()
    x = torch.randn(2, 7, 10, dtype=torch.float64)
    with torch.no_grad():
        q, k, v = (
            linear(x).unflatten(-1, (-1, 6)).transpose(1, 2)
            for linear in (attention.query, attention.key, attention.value)
        )
        heads = written_out(q, k, v, PADDED, 6**-0.5 if scale is None else scale)
        joined = torch.tensor(heads.transpose(0, 2, 1, 3).reshape(2, 7, 24))
        torch.testing.assert_close(attention(x, PADDED), attention.output(joined), rtol=1e-9, atol=1e-12)
    assert {name.split(".")[0] for name, _ in attention.named_parameters() if "bias" in name} == (
        {"query", "key", "value", "output"} if bias else set()
    )


def test_angles_turn_queries_and_keys_but_not_values() -> None:
    attention = Attention(arch.Attention(2, head_dim=4), dim=8)
    x, angles = torch.randn(1, 5, 8), Rotary(arch.Rotary(), 4)(torch.arange(5)[None])
    q, k, v = (
        linear(x).unflatten(-1, (2, 4)).transpose(1, 2) for linear in (attention.query, attention.key, attention.value)
    )
    mixed = attend(rotate(q, angles), rotate(k, angles), v, Mask(causal=True), scale=0.5)
    expected = attention.output(mixed.transpose(1, 2).flatten(-2))
    torch.testing.assert_close(attention(x, Mask(causal=True), angles), expected)


def test_a_cache_gives_back_the_past() -> None:
    attention = Attention(arch.Attention(4, head_dim=6, kv_heads=2), dim=10)
    x = torch.randn(2, 7, 10)
    cache = LayerCache(torch.zeros(2, 2, 9, 6), torch.zeros(2, 2, 9, 6))
    parts = [attention(x[:, :5], Mask(causal=True), cache=cache)]
    parts += [attention(x[:, i : i + 1], Mask(), cache=cache, start=i) for i in (5, 6)]
    torch.testing.assert_close(torch.cat(parts, dim=1), attention(x, Mask(causal=True)), atol=1e-6, rtol=1e-5)


def test_the_keys_of_a_memory_are_made_once() -> None:
    attention = Attention(arch.Attention(4, head_dim=6), dim=10)
    x, memory = torch.randn(2, 3, 10), torch.randn(2, 5, 10)
    cache = LayerCache(torch.zeros(2, 4, 9, 6), torch.zeros(2, 4, 9, 6))
    first = attention.over(memory, x, Mask(), cache)
    torch.testing.assert_close(attention.over(torch.full_like(memory, torch.nan), x, Mask(), cache), first)
    torch.testing.assert_close(attention.over(memory, x, Mask()), first)
    lone = torch.cat([attention.over(memory, x[:, i : i + 1], Mask(), cache) for i in range(3)], dim=1)
    torch.testing.assert_close(lone, first)


def test_dropout_acts_while_training_only() -> None:
    attention = Attention(arch.Attention(2, head_dim=4), dim=8, dropout=0.5)
    for x in torch.randn(1, 5, 8), torch.randn(1, 1, 8):
        attention.train()
        drawn = torch.stack([attention(x, Mask()) for _ in range(8)])
        assert not torch.equal(drawn.amax(0), drawn.amin(0))
        attention.eval()
        assert torch.equal(attention(x, Mask()), attention(x, Mask()))
