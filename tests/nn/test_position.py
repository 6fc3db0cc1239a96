"""Positions: rotary against multiplication by a complex number, buckets against transformers, restarts counted."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.t5.modeling_t5 import T5Attention

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.nn.position import RelativeBuckets, Rotary, build_position, restart_positions, rotate


def test_positions_restart_as_in_the_docstring() -> None:
    assert restart_positions(torch.tensor([[1, 1, 1, 2, 2, 0, 0]])).tolist() == [[0, 1, 2, 0, 1, 0, 1]]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_positions_count_every_run_from_nought(documents: list[int]) -> None:
    expected = [index for _, run in itertools.groupby(documents) for index, _ in enumerate(run)]
    assert restart_positions(torch.tensor([documents, documents])).tolist() == [expected] * 2


@given(padding=st.integers(0, 5), length=st.integers(1, 8))
def test_padding_on_the_left_moves_no_position(padding: int, length: int) -> None:
    row = torch.tensor([[0] * padding + [1] * length])
    assert restart_positions(row)[0, padding:].tolist() == list(range(length))


# ---- rotary --------------------------------------------------------------------------------------------------------


def turned(x: torch.Tensor, positions: torch.Tensor, theta: float) -> torch.Tensor:
    """Channels i and i + E/2 as one complex number, times exp(√−1 · position · theta^(−2i/E)), in double precision."""
    half = x.shape[-1] // 2
    frequencies = torch.tensor([theta ** (-2 * i / x.shape[-1]) for i in range(half)], dtype=torch.float64)
    angles = positions[:, None, :, None].double() * frequencies
    z = torch.complex(x[..., :half].double(), x[..., half:].double()) * torch.exp(1j * angles)
    return torch.cat((z.real, z.imag), dim=-1)


@pytest.mark.parametrize("theta", [10_000.0, 500_000.0])
@pytest.mark.parametrize("head_dim", [2, 6, 64])
def test_rotary_is_multiplication_by_a_complex_number(theta: float, head_dim: int) -> None:
    x = torch.randn(2, 3, 11, head_dim)
    positions = torch.stack([torch.arange(11), torch.tensor([0, 1, 2, 0, 1, 2, 3, 2000, 40, 0, 1])])
    found = rotate(x, Rotary(arch.Rotary(theta), head_dim)(positions))
    torch.testing.assert_close(found, turned(x, positions, theta).float(), atol=5e-4, rtol=0)


@given(query=st.integers(0, 500), key=st.integers(0, 500), shift=st.integers(0, 500))
def test_a_rotated_product_knows_the_distance_only(query: int, key: int, shift: int) -> None:
    generator = torch.Generator().manual_seed(query)
    q, k = torch.randn(2, 1, 1, 1, 16, generator=generator)
    rotary = Rotary(arch.Rotary(), 16)

    def product(at: int, other: int) -> torch.Tensor:
        return (rotate(q, rotary(torch.tensor([[at]]))) * rotate(k, rotary(torch.tensor([[other]])))).sum()

    torch.testing.assert_close(product(query + shift, key + shift), product(query, key), atol=2e-3, rtol=0)
    torch.testing.assert_close(rotate(q, rotary(torch.tensor([[query]]))).norm(), q.norm())


def test_angles_stay_exact_in_a_model_of_low_precision() -> None:
    rotary, position = Rotary(arch.Rotary(), 8), torch.tensor([[1999]])
    for exact, cast in zip(rotary(position), rotary.bfloat16()(position), strict=True):
        assert torch.equal(exact, cast)


# ---- relative buckets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("buckets", "max_distance"), [(32, 128), (8, 20), (6, 5)])
def test_buckets_equal_the_oracle(causal: bool, buckets: int, max_distance: int) -> None:
    distances = torch.arange(-200, 201)[None]
    ours = RelativeBuckets(arch.RelativeBuckets(buckets, max_distance), heads=1, causal=causal).bucket(distances)
    theirs = T5Attention._relative_position_bucket(
        distances, bidirectional=not causal, num_buckets=buckets, max_distance=max_distance
    )
    assert torch.equal(ours, theirs)


def test_buckets_as_the_paper_says() -> None:
    """Section 2.1: 32 buckets, growing up to a distance of 128, beyond which all share one."""
    bucket = RelativeBuckets(arch.RelativeBuckets(), heads=1, causal=True).bucket
    past = bucket(-torch.arange(400)[None])[0].tolist()
    assert past[:16] == list(range(16))
    assert past == sorted(past)
    assert past[112] < past[128] == past[399] == 31
    assert len(set(past)) == 32


def test_the_bias_is_read_from_the_table_for_every_pair() -> None:
    relative = RelativeBuckets(arch.RelativeBuckets(8, 20), heads=3, causal=True)
    bias = relative(torch.tensor([4, 5]), torch.arange(6))
    for query, key, head in itertools.product((4, 5), range(6), range(3)):
        bucket = int(relative.bucket(torch.tensor([[key - query]])))
        assert bias[0, head, query - 4, key] == relative.table.weight[bucket, head]


def test_a_position_is_built_from_its_description() -> None:
    attention = arch.Attention(heads=3, head_dim=6)
    mlp, norms = arch.MLP(hidden=4, activation="relu"), arch.Norms()
    rotary, buckets = arch.Rotary(theta=50.0), arch.RelativeBuckets(8, 20)
    built = build_position(rotary, arch.Layer(attention, mlp, norms, position=rotary), causal=True)
    assert isinstance(built, Rotary)
    assert (built.theta, built.head_dim) == (50.0, 6)
    built = build_position(buckets, arch.Layer(attention, mlp, norms, position=buckets), causal=False)
    assert isinstance(built, RelativeBuckets)
    assert (built.table.weight.shape, built.causal) == ((8, 3), False)


@pytest.mark.parametrize(("buckets", "max_distance"), [(2, 128), (7, 128), (32, 16), (32, 0)])
def test_buckets_that_cannot_grow_are_refused(buckets: int, max_distance: int) -> None:
    with pytest.raises(ModelError, match="buckets"):
        arch.RelativeBuckets(buckets, max_distance)
