"""Reading many texts that begin alike: what they share is read once, and its keys and values stay in a cache.

    Review: good. positive  Review: bad. negative  ┬ Review: dull. Sentiment:
                                                   ├ Review: fine. Sentiment:      the tree of the texts: each branch
                                                   └ Review: odd. Sentiment: ┬ pos is read once
                                                                             └ neg

Only a decoder can: its hidden states depend on the past alone. For the same reason rows are padded on the right and
need no mask.

Letters: B rows, t tokens, D channels.
"""

__all__ = ["Branch", "Leaves", "read_shared", "tree"]

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from trivium.decode.prompt import Ids, pad
from trivium.model import Transformer
from trivium.nn.cache import Cache

#: A branch is read by itself where this spares its texts so many tokens: reading few tokens costs as much as many.
_SPARED: Final = 16
_LEVELS: Final = 12
_CACHE_BYTES: Final = 512 * 2**20


@dataclass(frozen=True)
class Leaves:
    """Texts, by their numbers, that are read from the end of the branch on."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Branch:
    """The first `length` tokens are shared by all texts above, and what grows from there."""

    length: int
    grows: tuple["Branch | Leaves", ...]


def tree(texts: Sequence[Ids], bounds: Sequence[int]) -> Branch:
    """How to read the texts so that shared beginnings are read once; the first `bounds[i]` tokens of text i may be."""
    order = sorted(range(len(texts)), key=lambda number: tuple(texts[number]))
    shared = [_shared(texts, bounds, a, b) for a, b in itertools.pairwise(order)]
    return Branch(0, _grow(order, shared, 0, _LEVELS))


def _shared(texts: Sequence[Ids], bounds: Sequence[int], a: int, b: int) -> int:
    most = min(bounds[a], bounds[b])
    return next((at for at in range(most) if texts[a][at] != texts[b][at]), most)


def _grow(order: Sequence[int], shared: Sequence[int], length: int, levels: int) -> tuple[Branch | Leaves, ...]:
    """The branches worth reading by themselves of neighbours in order, and all other texts together."""
    branches: list[Branch] = []
    alone: list[int] = []
    waiting = [(0, len(order))]
    while waiting:
        first, end = waiting.pop()
        between = shared[first : end - 1]
        if not between or not levels:
            alone += order[first:end]
            continue
        common = min(between)
        if (common - length) * len(between) >= _SPARED and common > length:
            branches.append(Branch(common, _grow(order[first:end], between, common, levels - 1)))
            continue
        if common == max(between):  # no part of them shares more
            alone += order[first:end]
            continue
        cuts = [first, *(first + at + 1 for at, each in enumerate(between) if each == common), end]
        waiting += itertools.pairwise(cuts)
    return (*branches, Leaves(tuple(sorted(alone)))) if alone else tuple(branches)


@torch.inference_mode()
def read_shared(
    model: Transformer, texts: Sequence[Ids], bounds: Sequence[int], rows: int, share: bool = True
) -> Iterator[list[tuple[int, Float[Tensor, "t D"]]]]:
    """Each text's number, and its hidden states from token `bounds[i]` on; `rows` texts together, in any order.

    With `share`, beginnings that texts share are read once; the states are the same to float32's rounding.
    """
    root = tree(texts, bounds) if share else Branch(0, (Leaves(tuple(range(len(texts)))),))
    yield from _read(model, texts, bounds, rows, root, None)


def _read(
    model: Transformer, texts: Sequence[Ids], bounds: Sequence[int], rows: int, branch: Branch, cache: Cache | None
) -> Iterator[list[tuple[int, Tensor]]]:
    for part in branch.grows:
        if isinstance(part, Leaves):
            yield from _read_leaves(model, texts, bounds, rows, part, cache)
            continue
        some = _first(part)
        longer = _copies(model, cache, 1, part.length)
        begun = 0 if cache is None else cache.length
        model.decode(torch.tensor([list(texts[some][begun : part.length])], device=_device(model)), cache=longer)
        yield from _read(model, texts, bounds, rows, part, longer)


def _read_leaves(
    model: Transformer, texts: Sequence[Ids], bounds: Sequence[int], rows: int, leaves: Leaves, cache: Cache | None
) -> Iterator[list[tuple[int, Tensor]]]:
    begun = 0 if cache is None else cache.length
    numbers = sorted(leaves.numbers, key=lambda number: len(texts[number]))
    if cache is not None:
        rows = max(1, min(rows, _CACHE_BYTES // _row_bytes(model, len(texts[numbers[-1]]))))
    for first in range(0, len(numbers), rows):
        batch = numbers[first : first + rows]
        ids, _ = pad([texts[number][begun:] for number in batch], left=False, device=_device(model))
        room = None if cache is None else _copies(model, cache, len(batch), begun + ids.shape[1])
        hidden = model.decode(ids, cache=room)
        yield [
            (number, hidden[row, bounds[number] - begun : len(texts[number]) - begun])
            for row, number in enumerate(batch)
        ]


def _first(branch: Branch) -> int:
    part: Branch | Leaves = branch
    while isinstance(part, Branch):
        part = part.grows[0]
    return part.numbers[0]


def _copies(model: Transformer, cache: Cache | None, rows: int, capacity: int) -> Cache:
    """A cache of `rows` rows that all begin as this one's only row, with room for more tokens."""
    stack = model.architecture.decoder
    assert stack is not None
    made = Cache.empty(stack, rows, capacity, model.tokens.weight.dtype, _device(model))
    if cache is None:
        return made
    for layer, begun in zip(made.layers, cache.layers, strict=True):
        layer.keys[:, :, : cache.length] = begun.keys[:, :, : cache.length]
        layer.values[:, :, : cache.length] = begun.values[:, :, : cache.length]
    made.next_position += cache.length
    made.length = cache.length
    return made


def _row_bytes(model: Transformer, tokens: int) -> int:
    stack = model.architecture.decoder
    assert stack is not None
    width = sum(2 * layer.attention.key_value_heads * layer.attention.head_dim for layer in stack.layers)
    return width * tokens * model.tokens.weight.element_size()


def _device(model: Transformer) -> torch.device:
    return model.tokens.weight.device
