"""Published ways of counting, held against what was published of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.architecture import Architecture
from trivium.errors import UsageError
from trivium.families import bert, gopher, gpt2, llama
from trivium.plan.conventions import hoffmann_count, kaplan_count

#: Hoffmann et al. 2022, table A4: millions of parameters, layers, width, MLP, heads, head size (A9), ratio to 6 N D.
TABLE_A4 = [
    (73, 10, 640, 2560, 10, 64, 1.03),
    (305, 20, 1024, 4096, 16, 64, 1.10),
    (552, 24, 1280, 5120, 10, 128, 1.08),
    (1100, 26, 1792, 7168, 14, 128, 1.04),
    (1600, 28, 2048, 8192, 16, 128, 1.03),
    (6800, 40, 3584, 14336, 28, 128, 0.99),
]
#: The same to three digits, recomputed by others.
RECOMPUTED = [1.027, 1.101, 1.084, 1.045, 1.033, 0.994]


def shape(layers: int, width: int, hidden: int, heads: int, size: int) -> Architecture:
    return gopher.preset(vocab=32_000, dim=width, depth=layers, heads=heads, head_dim=size, hidden=hidden)


@pytest.mark.parametrize(("row", "recomputed"), list(zip(TABLE_A4, RECOMPUTED, strict=True)))
def test_table_a4(row: tuple[int, int, int, int, int, int, float], recomputed: float) -> None:
    """Ratios that were printed with the tables in N and their products left out."""
    _, layers, width, hidden, heads, size, printed = row
    architecture = shape(layers, width, hidden, heads, size)
    count, rule = hoffmann_count(architecture, 2048), 6 * architecture.parameters * 2048
    ratio = count.training(vocabulary=False) / rule
    assert round(ratio, 2) == printed
    assert ratio == pytest.approx(recomputed, abs=0.0011)  # N to a digit more or less
    assert count.training() / rule > ratio


def test_appendix_f_to_the_letter_is_far_from_its_own_table() -> None:
    first, last = shape(*TABLE_A4[0][1:6]), shape(*TABLE_A4[-1][1:6])
    ratios = [hoffmann_count(x, 2048).training() / (6 * x.parameters * 2048) for x in (first, last)]
    assert ratios == pytest.approx([1.58, 1.03], abs=0.005)


@given(depth=st.integers(1, 4), heads=st.integers(1, 4), context=st.integers(1, 64))
def test_kaplan_s_table_1_of_a_usual_shape(depth: int, heads: int, context: int) -> None:
    """N = 12 L d² and C = 2 N + 2 L T d, where d_attn = d and d_ff = 4 d."""
    dim = 16 * heads
    count = kaplan_count(gpt2.preset(vocab=50, dim=dim, depth=depth, heads=heads, positions=64), context)
    assert count.parameters == 12 * depth * dim**2
    assert count.forward == 2 * count.parameters + 2 * depth * context * dim
    assert count.training == 3 * count.forward
    assert (count.embed, count.de_embed) == (4 * dim, 2 * dim * 50)
    assert count.to_dict()["forward"] == count.forward


def test_ours_is_kaplan_s_with_all_of_attention_and_the_head() -> None:
    """A causal token sees half of the others on average: that half is what Kaplan counts."""
    context = 128
    architecture = llama.preset(vocab=100, dim=64, depth=3, heads=4, kv_heads=2, positions=context)
    count = kaplan_count(architecture, context)
    assert architecture.flops(context) == context * (count.forward + count.mask + count.de_embed)


def test_ours_is_hoffmann_s_without_softmax_and_the_first_table() -> None:
    architecture = gpt2.preset(vocab=100, dim=64, depth=3, heads=4, positions=128)
    count = hoffmann_count(architecture, 128)
    assert count.layers + count.logits - 3 * 3 * 4 * 128**2 == architecture.flops(128)
    assert count.to_dict()["training_without_vocabulary"] == 3 * count.layers


def test_published_counts_are_of_decoders() -> None:
    encoder = bert.preset(vocab=100, dim=64, depth=1, heads=4)
    for count in (hoffmann_count, kaplan_count):
        with pytest.raises(UsageError, match=r"are of decoders, and this bert is an encoder: take our own"):
            count(encoder, 16)
