"""Biases on the scores: buckets against transformers, ALiBi's slopes against the paper and transformers."""

import itertools

import pytest
import torch
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.t5.modeling_t5 import T5Attention

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.nn.bias import Alibi, RelativeBuckets


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


@pytest.mark.parametrize(("buckets", "max_distance"), [(2, 128), (7, 128), (32, 16), (32, 0)])
def test_buckets_that_cannot_grow_are_refused(buckets: int, max_distance: int) -> None:
    with pytest.raises(ModelError, match="buckets"):
        arch.RelativeBuckets(buckets, max_distance)


def test_alibi_slopes_of_eight_heads_are_the_papers() -> None:
    """Section 3: for 8 heads 1/2, 1/4, …, 1/256; for 16 also those between."""
    assert Alibi(8).slopes().tolist() == [2.0**-i for i in range(1, 9)]
    torch.testing.assert_close(Alibi(16).slopes(), torch.tensor([2.0 ** (-i / 2) for i in range(1, 17)]))


@pytest.mark.parametrize("heads", [1, 2, 6, 8, 12, 20, 40, 112])
def test_alibi_equals_the_oracle_up_to_what_softmax_ignores(heads: int) -> None:
    """Theirs grows with the key's position, which differs from a distance by one number a row of scores."""
    theirs = build_alibi_tensor(torch.ones(1, 30, dtype=torch.long), heads, torch.float32)[:, 0]
    ours = Alibi(heads)(torch.tensor([29]), torch.arange(30))[0, :, 0]
    torch.testing.assert_close(ours - ours[:, :1], theirs, atol=1e-5, rtol=1e-6)


def test_alibi_is_a_penalty_on_distance() -> None:
    bias = Alibi(3)(torch.tensor([4]), torch.arange(9))[0, :, 0]
    assert torch.equal(bias[:, 4], torch.zeros(3))
    assert torch.equal(bias, bias.flip(-1))
    assert bool((bias[:, :4].diff() > 0).all())
