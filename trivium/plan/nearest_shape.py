"""The buildable shape of a family that comes nearest to a number of parameters, up to ten trillion. No torch.

Widths are those of `shapes` up to 4,096 channels, then multiples of 1,024, so that eight devices share heads of 128
evenly; from 512 channels on heads have 64 or 128. The depth is one layer for 64 channels up to 2,048 (Hoffmann et al.
2022, table A9), then grows with the square root of the width: between LLaMA's 32 and 80 layers for 4,096 and 8,192
channels and those of Levine et al. 2020, width = exp(5.039 + 0.0555 depth), by which BloombergGPT was drawn. Three
tenths more or fewer layers are as good: that is how every size is met.
"""

__all__ = ["nearest_shape", "usual_depth"]

import math
from collections.abc import Callable

from trivium.architecture import Architecture
from trivium.families.family import Family
from trivium.plan.shapes import WIDTHS, shape

_WIDTHS = (*(width for width in WIDTHS if width < 4096), *range(4096, 16_384, 1024), *range(16_384, 65_537, 2048))
_SPREAD = 0.3
#: Nearer than this is near enough, and the better proportions decide.
_NEAR = 0.01


def usual_depth(dim: int) -> float:
    """Layers that suit a width."""
    return max(2.0, dim / 64 if dim <= 2048 else 32 * math.sqrt(dim / 2048))


def nearest_shape(
    family: Family,
    parameters: float | int,
    vocab: int,
    positions: int,
    size_of: Callable[[Architecture], int] = lambda architecture: architecture.parameters,
) -> Architecture:
    """The shape whose `size_of` is nearest to `parameters`; of those within 1 %, the one of the most usual depth."""
    offered: list[tuple[float, float, int, int]] = []
    for dim in _WIDTHS:
        two, four = (size_of(shape(family, dim, vocab, positions, depth)) for depth in (2, 4))
        layer = (four - two) / 2
        usual = usual_depth(dim)
        least, most = max(2, math.ceil((1 - _SPREAD) * usual)), max(2, math.floor((1 + _SPREAD) * usual))
        depth = min(most, max(least, round(2 + (parameters - two) / layer)))
        distance = abs(math.log((two + (depth - 2) * layer) / parameters))
        offered.append((distance, abs(math.log(depth / usual)), dim, depth))
    near = [each for each in offered if each[0] <= _NEAR]
    *_, dim, depth = min(near, key=lambda each: each[1]) if near else min(offered)
    return shape(family, dim, vocab, positions, depth)
