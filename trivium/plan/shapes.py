"""Buildable shapes of a family, from small to large.

Widths are multiples of 16 that matrix kernels like, heads have 16 to 128 channels, and the depth follows the width as
in the models of Hoffmann et al. 2022 (table A9): about one layer for 64 channels, at least two.
"""

__all__ = ["WIDTHS", "shape", "shapes"]

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from trivium.architecture import Architecture, FanIn, Normal, Xavier
from trivium.families.family import Family

#: Every width that is offered: 32, 48, 64, … 128, 160, … 256, 320, … 1024, 1152, … 2048, 2304, … 16,384.
WIDTHS: tuple[int, ...] = tuple(
    chain(
        range(32, 128, 16), range(128, 256, 32), range(256, 1024, 64), range(1024, 2048, 128), range(2048, 16_385, 256)
    )
)


def shape(family: Family, dim: int, vocab: int, positions: int, depth: int | None = None) -> Architecture:
    """The family's architecture of one width, with initial weights that suit it, and the usual depth unless told."""
    layers = max(2, round(dim / 64)) if depth is None else depth
    architecture = family.preset(vocab=vocab, dim=dim, depth=layers, heads=dim // _head_dim(dim), positions=positions)
    match architecture.initialisation:
        case Normal() as normal:
            return replace(architecture, initialisation=replace(normal, std=normal.std * _spread(dim)))
        case FanIn() | Xavier():
            return architecture


def _head_dim(dim: int) -> int:
    wanted = 16 if dim < 256 else 32 if dim < 512 else 64 if dim < 2048 else 128
    return next(size for size in (wanted, wanted // 2) if dim % size == 0)


def _spread(dim: int) -> float:
    # BERT's and GPT-2's 0.02 is for 768 channels and more. In a narrow model it starts the residual stream almost
    # silent, and AdamW spends hundreds of steps on growing it (docs/LOG.md): below, the spread is that of the fan-in.
    return max(1.0, math.sqrt(768 / dim))


def shapes(family: Family, vocab: int, positions: int) -> Iterator[Architecture]:
    """All shapes of a family, each larger than the one before."""
    return (shape(family, dim, vocab, positions) for dim in WIDTHS)
