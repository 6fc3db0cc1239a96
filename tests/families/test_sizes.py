"""The published sizes, to the last parameter: as described, as built, and as `transformers` builds them.

The figures were counted once from published configs (tied tensors once, buffers not at all); the closed forms are the
papers' own sums.
"""

import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st

from tests.families.tiny import UntiedT5
from trivium.architecture import Architecture
from trivium.families import bart, bert, bloom, gopher, gpt2, llama, roberta, t5
from trivium.families.registry import FAMILIES, family_named
from trivium.model import Transformer

#: Of every published size, with its head.
COUNTS = {
    "bart": {"base": 139_420_416, "large": 406_291_456},
    "bert": {"base-uncased": 109_514_298, "large-uncased": 335_174_458},
    "bloom": {
        "560m": 559_214_592,
        "1b1": 1_065_314_304,
        "1b7": 1_722_408_960,
        "3b": 3_002_557_440,
        "7b1": 7_069_016_064,
        "176b": 176_247_271_424,
        "bloomberggpt": 50_558_868_480,  # its paper prints the same, appendix A.5
    },
    "gpt1": {"117m": 116_534_784},
    "gpt2": {"small": 124_439_808, "medium": 354_823_168, "large": 774_030_080, "xl": 1_557_611_200},
    "gpt3": {
        "small": 125_226_240,
        "medium": 355_871_744,
        "large": 760_300_032,
        "xl": 1_315_723_264,
        "2.7b": 2_651_553_280,
        "6.7b": 6_658_404_352,
        "13b": 12_853_386_240,
        "175b": 174_604_259_328,
    },
    "llama": {
        "7b": 6_738_415_616,
        "13b": 13_015_864_320,
        "33b": 32_528_943_616,
        "65b": 65_285_660_672,
        "2-7b": 6_738_415_616,
        "2-13b": 13_015_864_320,
        "2-70b": 68_976_648_192,
        "3-8b": 8_030_261_248,
        "3-70b": 70_553_706_496,
        "3.1-8b": 8_030_261_248,
        "3.1-70b": 70_553_706_496,
        "3.1-405b": 405_853_388_800,
        "3.2-1b": 1_235_814_400,
        "3.2-3b": 3_212_749_824,
        "tinyllama-1.1b": 1_100_048_384,
        "smollm2-135m": 134_515_008,
    },
    "opt": {
        "125m": 125_239_296,
        "1.3b": 1_315_758_080,
        "6.7b": 6_658_473_984,
        "13b": 12_853_473_280,
        "66b": 65_719_701_504,
        "175b": 174_604_468_224,
    },
    "roberta": {"base": 124_697_433, "large": 355_412_057},
    "t5": {
        "small": 60_506_624,
        "base": 222_903_552,
        "large": 737_668_096,
        "3b": 2_851_598_336,
        "11b": 11_307_321_344,
        "v1.1-small": 76_961_152,
        "v1.1-base": 247_577_856,
        "v1.1-large": 783_150_080,
        "v1.1-xl": 2_849_757_184,
        "v1.1-xxl": 11_135_332_352,
    },
    "transformer": {"base": 63_045_632, "big": 214_171_648},
}
ROWS = [(family, size, count) for family, sizes in COUNTS.items() for size, count in sizes.items()]
#: Other vocabularies of the same shapes.
OTHERS = [
    (family, size)
    for family in COUNTS
    for size in FAMILIES[family].sizes
    if size not in COUNTS[family] and not size.startswith("flan")
]
#: Without a head and without the pooler.
BODIES = [
    ("bert", "base-uncased", 108_891_648),
    ("bert", "large-uncased", 334_092_288),
    ("bert", "base-cased", 108_310_272 - (768**2 + 768)),
    ("bert", "large-cased", 333_579_264 - (1024**2 + 1024)),
    ("roberta", "base", 124_055_040),
    ("roberta", "large", 354_310_144),
]


def built(architecture: Architecture) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in Transformer(architecture).parameters())


def oracle(family: str, architecture: Architecture) -> hf.PreTrainedModel:
    """What `transformers` builds, without memory, from the config that we write."""
    page = family_named(family)
    kind = getattr(hf, page.classes)
    config = kind.config_class(**page.write_config(architecture))
    # transformers 5 ties the two tables of every T5 that it builds, and v1.1 and Flan have two.
    kind = kind if architecture.head.tied or family != "t5" else UntiedT5
    with torch.device("meta"):
        return kind(config)


@pytest.mark.parametrize(("family", "size", "count"), ROWS)
def test_a_published_size_has_its_parameters(family: str, size: str, count: int) -> None:
    architecture = family_named(family).size(size)
    assert architecture.parameters == count
    assert built(architecture) == count
    if hasattr(hf, family_named(family).classes):
        assert oracle(family, architecture).num_parameters() == count


@pytest.mark.parametrize(("family", "size"), OTHERS)
def test_one_without_a_recorded_figure_has_what_transformers_builds(family: str, size: str) -> None:
    architecture = family_named(family).size(size)
    assert architecture.parameters == built(architecture) == oracle(family, architecture).num_parameters()


def test_flan_has_the_shapes_of_v11() -> None:
    for size in ("small", "base", "large", "xl", "xxl"):
        assert t5.T5.size(f"flan-{size}") == t5.T5.size(f"v1.1-{size}")
    assert len(FAMILIES["t5"].sizes) == len(COUNTS["t5"]) + 5


@pytest.mark.parametrize(("family", "size", "count"), BODIES)
def test_without_the_head(family: str, size: str, count: int) -> None:
    architecture = family_named(family).size(size)
    head = architecture.head.parameters(architecture.dim, architecture.vocab)
    assert architecture.parameters - head == count


@pytest.mark.parametrize(
    ("size", "printed"),
    [
        ("44m", 44e6),
        ("117m", 117e6),
        ("417m", 417e6),
        ("1.4b", 1.4e9),
        ("7.1b", 7.1e9),
        ("280b", 279.7e9),
        ("chinchilla", 70.06e9),
    ],
)
def test_gopher_has_what_its_papers_print(size: str, printed: float) -> None:
    """Printed rounded; the rule V·d + L (5·d² + 2·d·4d) leaves out only norms and the two vectors of every head."""
    architecture = FAMILIES["gopher"].size(size)
    assert built(architecture) == architecture.parameters == pytest.approx(printed, rel=0.02)
    d, depth = architecture.dim, architecture.decoder.depth
    assert architecture.parameters == pytest.approx(32_000 * d + 13 * depth * d * d, rel=0.008)


#: Millions of parameters, layers, width, heads (of 64 channels below a width of 1,280, else of 128) of Chinchilla's
#: experiments (table A9; table A4 prints 73 and 305 for two of them). Heads need not be as wide as the model together.
TABLE_A9 = [
    (44, 8, 512, 8), (74, 10, 640, 10), (306, 20, 1024, 16), (552, 24, 1280, 10), (1143, 26, 1792, 14),
    (3530, 36, 2688, 22), (6796, 40, 3584, 28), (12295, 44, 4608, 36), (12569, 47, 4608, 32), (16183, 47, 5120, 40),
]  # fmt: skip


@pytest.mark.parametrize(("millions", "depth", "dim", "heads"), TABLE_A9)
def test_gopher_has_the_shapes_of_chinchillas_experiments(millions: int, depth: int, dim: int, heads: int) -> None:
    size = 64 if dim < 1280 else 128
    architecture = gopher.preset(dim=dim, depth=depth, heads=heads, head_dim=size)
    assert architecture.parameters == pytest.approx(millions * 1e6, rel=0.008)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_published_size_goes_through_its_config(family: str) -> None:
    page = FAMILIES[family]
    for size in page.sizes:
        architecture = page.size(size)
        assert page.read_config(page.write_config(architecture)) == architecture, size


# ---- closed forms ---------------------------------------------------------------------------------------------------

SHAPES = {
    "vocab": st.integers(1, 500),
    "head_dim": st.sampled_from([2, 4, 6]),
    "heads": st.sampled_from([1, 2, 4]),
    "depth": st.integers(1, 4),
    "positions": st.integers(1, 50),
}


@given(**SHAPES)
def test_bert_and_roberta(vocab: int, head_dim: int, heads: int, depth: int, positions: int) -> None:
    """(V + P + 2) d + 2d + L (12d² + 13d), and a head of d² + 3d + V; RoBERTa has a segment less and two more rows."""
    d = head_dim * heads
    shape = {"vocab": vocab, "dim": d, "heads": heads, "depth": depth, "positions": positions}
    rest = 2 * d + depth * (12 * d * d + 13 * d) + d * d + 3 * d + vocab
    assert bert.preset(**shape).parameters == (vocab + positions + 2) * d + rest
    assert roberta.preset(**shape).parameters == (vocab + positions + 3) * d + rest


@given(**SHAPES)
def test_gpt2(vocab: int, head_dim: int, heads: int, depth: int, positions: int) -> None:
    """(V + P) d + L (12d² + 13d) + 2d."""
    d = head_dim * heads
    found = gpt2.preset(vocab=vocab, dim=d, heads=heads, depth=depth, positions=positions).parameters
    assert found == (vocab + positions) * d + depth * (12 * d * d + 13 * d) + 2 * d


@given(**SHAPES)
def test_bloom(vocab: int, head_dim: int, heads: int, depth: int, positions: int) -> None:
    """Vd + 2d + L (12d² + 13d) + 2d, whatever the positions."""
    d = head_dim * heads
    found = bloom.preset(vocab=vocab, dim=d, heads=heads, depth=depth, positions=positions).parameters
    assert found == vocab * d + 2 * d + depth * (12 * d * d + 13 * d) + 2 * d


@given(**SHAPES, hidden=st.integers(1, 60), groups=st.sampled_from([1, 2, 4]), tied=st.booleans())
def test_llama(
    vocab: int, head_dim: int, heads: int, depth: int, positions: int, hidden: int, groups: int, tied: bool
) -> None:
    """2Vd + L (2d² (1 + kv/h) + 3df + 2d) + d; half of the first where it is tied."""
    d, kv_heads = head_dim * heads, max(1, heads // groups)
    found = llama.preset(
        vocab=vocab, dim=d, heads=heads, depth=depth, positions=positions, hidden=hidden, kv_heads=kv_heads, tied=tied
    ).parameters
    attention = 2 * d * d + 2 * d * d * kv_heads // heads
    assert found == (2 - tied) * vocab * d + depth * (attention + 3 * d * hidden + 2 * d) + d


@given(**SHAPES, dim=st.integers(1, 40), hidden=st.integers(1, 60), gated=st.booleans())
def test_t5(
    vocab: int, head_dim: int, heads: int, depth: int, positions: int, dim: int, hidden: int, gated: bool
) -> None:
    """No biases; projections need not be as wide as the model; 32 buckets a head and a last norm on each side."""
    found = t5.preset(
        vocab=vocab, dim=dim, heads=heads, head_dim=head_dim, depth=depth, positions=positions, hidden=hidden,
        gated=gated, tied=not gated,
    ).parameters  # fmt: skip
    attention, mlp = 4 * dim * heads * head_dim, (2 + gated) * dim * hidden
    encoder, decoder = attention + mlp + 2 * dim, 2 * attention + mlp + 3 * dim
    assert found == (1 + gated) * vocab * dim + depth * (encoder + decoder) + 2 * (32 * heads + dim)


@given(**SHAPES)
def test_bart(vocab: int, head_dim: int, heads: int, depth: int, positions: int) -> None:
    """Vd + 2 ((P + 2) d + 2d), and 12d² + 13d a layer with 4d² + 6d more for cross-attention."""
    d = head_dim * heads
    found = bart.preset(vocab=vocab, dim=d, heads=heads, depth=depth, positions=positions).parameters
    layers = depth * (2 * (12 * d * d + 13 * d) + 4 * d * d + 6 * d)
    assert found == vocab * d + 2 * (positions + 4) * d + layers
