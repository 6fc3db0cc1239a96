"""Buildable shapes of a family, from small to large.

Widths are multiples of 32 that matrix kernels like, heads have 32, 64 or 128 channels, and the depth follows the
width as in the models of Hoffmann et al. 2022 (table A9): about one layer for 64 channels, at least two.
"""

__all__ = ["WIDTHS", "shape", "shapes"]

from collections.abc import Iterator
from itertools import chain

from trivium.architecture import Architecture
from trivium.families.family import Family

#: Every width that is offered: 32, 64, 96, … 256, 320, … 1024, 1152, … 2048, 2304, … 16,384.
WIDTHS: tuple[int, ...] = tuple(
    chain(range(32, 256, 32), range(256, 1024, 64), range(1024, 2048, 128), range(2048, 16_385, 256))
)


def shape(family: Family, dim: int, vocab: int, positions: int) -> Architecture:
    """The family's architecture of one width."""
    head_dim = 32 if dim < 512 or dim % 64 else 64 if dim < 2048 or dim % 128 else 128
    return family.preset(
        vocab=vocab, dim=dim, depth=max(2, round(dim / 64)), heads=dim // head_dim, positions=positions
    )


def shapes(family: Family, vocab: int, positions: int) -> Iterator[Architecture]:
    """All shapes of a family, each larger than the one before."""
    return (shape(family, dim, vocab, positions) for dim in WIDTHS)
