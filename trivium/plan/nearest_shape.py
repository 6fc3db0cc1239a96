"""The buildable shape of a family that comes nearest to a number of parameters, up to ten trillion. No torch.

Widths are those of `shapes` up to 4,096 channels, then multiples of 1,024, so that eight devices share heads of 128
evenly; from 512 channels on heads have 64 or 128. The depth is one layer for 64 channels up to 2,048 (Hoffmann et al.
2022, table A9), then grows with the square root of the width: between LLaMA's 32 and 80 layers for 4,096 and 8,192
channels and those of Levine et al. 2020, width = exp(5.039 + 0.0555 depth), by which BloombergGPT was drawn. Three
tenths more or fewer layers are as good: that is how every size is met.
"""

__all__ = ["WIDEST", "nearest_shape", "usual_depth"]

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from trivium.architecture import Architecture
from trivium.families.family import Family
from trivium.plan.shapes import WIDTHS, shape

_WIDTHS = (*(width for width in WIDTHS if width < 4096), *range(4096, 16_384, 1024), *range(16_384, 65_537, 2048))
#: The largest width that is offered.
WIDEST = _WIDTHS[-1]

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

    @cache
    def at(dim: int) -> _Width:
        two, four = (size_of(shape(family, dim, vocab, positions, depth)) for depth in (2, 4))
        return _Width(dim, two, (four - two) / 2)

    middle = min(bisect_left(_WIDTHS, parameters, key=lambda dim: at(dim).size(usual_depth(dim))), len(_WIDTHS) - 1)
    # From there both ways, as long as some depth still meets the size, and one width further.
    offered = [at(_WIDTHS[middle])]
    for way in (-1, 1):
        for index in range(middle + way, -1 if way < 0 else len(_WIDTHS), way):
            offered.append(at(_WIDTHS[index]))
            if not offered[-1].meets(parameters):
                break
    near = [each for each in offered if each.distance(parameters) <= _NEAR]
    if near:
        best = min(near, key=lambda each: abs(math.log(each.depth(parameters) / usual_depth(each.dim))))
    else:
        best = min(offered, key=lambda each: each.distance(parameters))
    return shape(family, best.dim, vocab, positions, best.depth(parameters))


@dataclass(frozen=True)
class _Width:
    """A width: the parameters with two layers, and of each one more."""

    dim: int
    two: int
    layer: float

    def size(self, depth: float | int) -> float:
        """The parameters with that many layers."""
        return self.two + (depth - 2) * self.layer

    def depth(self, parameters: float | int) -> int:
        """The layers, of those that suit the width, that come nearest to a number of parameters."""
        usual = usual_depth(self.dim)
        least, most = max(2, math.ceil((1 - _SPREAD) * usual)), max(2, math.floor((1 + _SPREAD) * usual))
        return min(most, max(least, round(2 + (parameters - self.two) / self.layer)))

    def meets(self, parameters: float | int) -> bool:
        """Whether those layers come as near as whole layers can."""
        return abs(self.size(self.depth(parameters)) - parameters) <= self.layer / 2

    def distance(self, parameters: float | int) -> float:
        """Of the logarithms of the sizes."""
        return abs(math.log(self.size(self.depth(parameters)) / parameters))
