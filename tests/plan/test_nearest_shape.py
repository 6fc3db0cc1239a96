"""Every size is met by a shape that can be built, with proportions like those of published models."""

import pytest
import torch

from trivium.families.registry import FAMILIES, family_named
from trivium.model import Transformer
from trivium.plan.nearest_shape import nearest_shape, usual_depth


@pytest.mark.parametrize("name", FAMILIES)
def test_every_size_is_met(name: str) -> None:
    for parameters in (124e6, 1.5e9, 13e9, 176e9, 9e12):
        found = nearest_shape(family_named(name), parameters, 32_000, 2048)
        assert found.parameters == pytest.approx(parameters, rel=0.025)
        attention = found.output_stack.pattern[0].attention
        assert attention.head_dim == (64 if found.dim < 2048 else 128) or found.dim < 512
        assert attention.query_dim == found.dim
        assert found.dim % (1024 if found.dim >= 4096 else 64) == 0
        assert 0.69 * usual_depth(found.dim) <= found.output_stack.depth <= 1.31 * usual_depth(found.dim)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_counted_is_what_is_built(name: str) -> None:
    found = nearest_shape(family_named(name), 3e7, 5000, 128)
    with torch.device("meta"):
        model = Transformer(found)
    assert sum(parameter.numel() for parameter in model.parameters()) == found.parameters
    assert found.vocab == 5000


def test_the_ends_are_the_nearest_beyond_them() -> None:
    family = family_named("gpt2")
    least, most = nearest_shape(family, 1, 50_257, 1024), nearest_shape(family, 1e20, 50_257, 1024)
    assert (least.dim, least.output_stack.depth) == (32, 2)
    assert most.dim == 65_536
    assert most.parameters > 1e13


def test_another_count_may_decide() -> None:
    found = nearest_shape(family_named("gpt2"), 85e6, 50_257, 1024, lambda model: model.non_embedding_parameters)
    assert found.non_embedding_parameters == pytest.approx(85e6, rel=0.03)


def test_depths_are_near_published_ones() -> None:
    """Hoffmann et al. 2022, table A9; LLaMA's and GPT-3's sizes; Gopher; BLOOM; BloombergGPT."""
    published = {
        512: 8, 1024: 16, 1536: 25, 2048: 32, 2560: 32, 4096: 32, 5120: 40, 6656: 60, 7680: 70, 8192: 80, 12_288: 96,
        14_336: 70, 16_384: 80,
    }  # fmt: skip
    for dim, depth in published.items():
        assert 0.69 < depth / usual_depth(dim) < 1.31
