"""The lowest point of a function of one positive number. No torch, and no scipy: it takes longer to import than to run.

A grid of logarithms finds the valley, golden sections its bottom.
"""

__all__ = ["lowest"]

import math
from collections.abc import Callable

_GRID = 40
_GOLDEN = (math.sqrt(5) - 1) / 2
#: Of the logarithm: nearer than this, differences of a smooth function are lost to rounding.
_NARROW = 1e-8


def lowest(function: Callable[[float], float], least: float | int, most: float | int) -> float:
    """Where `function` is lowest between `least` and `most`, to about seven digits (where it is flat, somewhere in it).

    Values may be infinite where the function is not defined.
    """
    start, end = math.log(least), math.log(most)
    grid = [start + (end - start) * i / _GRID for i in range(_GRID + 1)]
    values = [function(math.exp(x)) for x in grid]
    best = values.index(min(values))
    left, right = grid[max(0, best - 1)], grid[min(_GRID, best + 1)]
    first, second = right - _GOLDEN * (right - left), left + _GOLDEN * (right - left)
    at_first, at_second = function(math.exp(first)), function(math.exp(second))
    while right - left > _NARROW:
        if at_first <= at_second:
            right, second, at_second = second, first, at_first
            first = right - _GOLDEN * (right - left)
            at_first = function(math.exp(first))
        else:
            left, first, at_first = first, second, at_second
            second = left + _GOLDEN * (right - left)
            at_second = function(math.exp(second))
    return math.exp((left + right) / 2)
