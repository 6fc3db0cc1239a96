"""How rows of a published tensor stand in GGUF, both ways.

llama.cpp turns neighbouring channels together, so its converter shuffles the rows of LLaMA's queries and keys; GPT-2's
published linears are stored as (in, out), and GGUF's as (out, in).
"""

__all__ = ["Layout", "Swapped", "Turned"]

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Turned:
    """A matrix published as (in, out); a bias stays as it is."""

    vectors = False

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The published shape of one in GGUF."""
        return shape[::-1]

    def to_gguf(self, published: Tensor) -> Tensor:
        """(in, out) → (out, in)."""
        return published.T

    def from_gguf(self, stored: Tensor) -> Tensor:
        """(out, in) → (in, out)."""
        return stored.T


@dataclass(frozen=True)
class Swapped:
    """Published rows seen as a box of `sizes` (-1: what is left), with two of its axes swapped in GGUF.

    Biases move with their rows. LLaMA's queries: (heads, 2, half) → (heads, half, 2). BLOOM's joined projection:
    (heads, 3, size) → (3, heads, size).
    """

    sizes: tuple[int, int, int]
    axes: tuple[int, int]
    vectors = True

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The published shape of one in GGUF: rows move, none is added."""
        return shape

    def to_gguf(self, published: Tensor) -> Tensor:
        """Published order → GGUF's."""
        return self._swap(published, self.sizes)

    def from_gguf(self, stored: Tensor) -> Tensor:
        """GGUF's order → the published one."""
        first, second = self.axes
        sizes = list(self.sizes)
        sizes[first], sizes[second] = sizes[second], sizes[first]
        return self._swap(stored, tuple(sizes))

    def _swap(self, rows: Tensor, sizes: tuple[int, ...]) -> Tensor:
        return rows.reshape(*sizes, *rows.shape[1:]).transpose(*self.axes).reshape(rows.shape)


Layout = Turned | Swapped
