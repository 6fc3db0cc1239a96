"""Every shape that is offered can be built, and each is larger than the one before."""

import itertools

import pytest
import torch

from trivium.families.registry import FAMILIES, family_named
from trivium.model import Transformer
from trivium.plan.shapes import WIDTHS, shape, shapes


def test_widths_rise_in_steps_that_kernels_like() -> None:
    assert list(WIDTHS) == sorted(set(WIDTHS))
    assert (WIDTHS[0], WIDTHS[-1]) == (32, 16_384)
    assert all(width % 16 == 0 for width in WIDTHS)
    assert max(after / before for before, after in itertools.pairwise(WIDTHS[3:])) <= 1.25


@pytest.mark.parametrize("name", FAMILIES)
def test_shapes_grow_and_fill_their_width(name: str) -> None:
    offered = list(shapes(family_named(name), vocab=1000, positions=128))
    assert [architecture.dim for architecture in offered] == list(WIDTHS)
    counts = [architecture.parameters for architecture in offered]
    assert counts == sorted(set(counts))
    assert counts[0] < 100_000
    assert counts[-1] > 1e11
    for architecture in offered:
        attention = architecture.output_stack.pattern[0].attention
        assert attention.query_dim == architecture.dim
        assert attention.head_dim in (16, 32, 64, 128)
        assert architecture.output_stack.depth == max(2, round(architecture.dim / 64))
        assert (architecture.vocab, architecture.context) in ((1000, None), (1000, 128))


@pytest.mark.parametrize("dim", [32, 320, 576])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_shape_is_what_is_built(name: str, dim: int) -> None:
    architecture = shape(family_named(name), dim, vocab=100, positions=16)
    with torch.device("meta"):
        model = Transformer(architecture)
    assert sum(parameter.numel() for parameter in model.parameters()) == architecture.parameters


def test_the_ladder_is_near_the_shapes_of_chinchilla() -> None:
    """Hoffmann et al. 2022, table A9: width → layers and heads (of 64 or 128 channels)."""
    published = {512: 8, 576: 9, 640: 10, 1024: 16, 1280: 24, 1536: 25, 1792: 26, 2048: 32}
    for dim, depth in published.items():
        offered = shape(family_named("gpt2"), dim, vocab=32_000, positions=2048).output_stack.depth
        assert abs(offered / depth - 1) < 0.2


@pytest.mark.parametrize(("dim", "std"), [(48, 0.08), (192, 0.04), (768, 0.02), (1536, 0.02)])
def test_initial_weights_keep_the_papers_spread_from_its_width_on(dim: int, std: float) -> None:
    for name in ("bert", "gpt2", "llama"):
        assert shape(family_named(name), dim, 100, 16).initialisation.std == pytest.approx(std)
    assert shape(family_named("gpt2"), 48, 100, 16).initialisation.scale_residual
