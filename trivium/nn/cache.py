"""Keys and values of what was read before, written in place. The cache is an argument: the model holds none.

Letters: B rows, S columns of the cache, t new tokens, G key-value heads, E channels of a head, M memory tokens.
"""

__all__ = ["Cache", "LayerCache"]

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from trivium import architecture as arch
from trivium.nn.position import restart_positions


@dataclass
class LayerCache:
    """One layer's keys and values; those over the encoder's memory are computed once."""

    keys: Float[Tensor, "B G S E"]
    values: Float[Tensor, "B G S E"]
    cross: tuple[Float[Tensor, "B g M e"], Float[Tensor, "B g M e"]] | None = None

    def append(
        self, start: int, keys: Float[Tensor, "B G t E"], values: Float[Tensor, "B G t E"]
    ) -> tuple[Float[Tensor, "B G s E"], Float[Tensor, "B G s E"]]:
        """Write `t` columns at `start` and return views of all columns up to there."""
        end = start + keys.shape[2]
        self.keys[:, :, start:end] = keys
        self.values[:, :, start:end] = values
        return self.keys[:, :, :end], self.values[:, :, :end]


@dataclass
class Cache:
    """A decoder's cache: `length` columns are filled in every row (prompts are padded on the left)."""

    layers: list[LayerCache]
    documents: Int[Tensor, "B S"]
    next_position: Int[Tensor, "B"]
    length: int = 0
    padded: bool = False

    @classmethod
    def empty(
        cls,
        stack: arch.Stack,
        batch: int,
        capacity: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "Cache":
        """Room for `capacity` tokens in each of `batch` rows."""

        def room(attention: arch.Attention) -> Tensor:
            shape = (batch, attention.key_value_heads, capacity, attention.head_dim)
            return torch.zeros(shape, dtype=dtype, device=device)

        return cls(
            layers=[LayerCache(room(layer.attention), room(layer.attention)) for layer in stack.layers],
            documents=torch.ones(batch, capacity, dtype=torch.long, device=device),
            next_position=torch.zeros(batch, dtype=torch.long, device=device),
        )

    @property
    def capacity(self) -> int:
        """Columns there are."""
        return self.documents.shape[1]

    def extend(self, documents: Int[Tensor, "B t"] | None, tokens: int) -> Int[Tensor, "B t"]:
        """Take in `tokens` more columns and return their positions. The layers write theirs at `length` − `tokens`."""
        assert self.length + tokens <= self.capacity, "the cache is full"
        if documents is None:
            positions = self.next_position[:, None] + torch.arange(tokens, device=self.documents.device)
        else:
            assert self.length == 0, "documents are given with the first call"
            self.padded = True
            self.documents[:, :tokens] = documents
            positions = restart_positions(documents)
        self.next_position = positions[:, -1] + 1
        self.length += tokens
        return positions

    def reorder(self, rows: Int[Tensor, "b"]) -> None:
        """Keep the given rows, in that order: for rows that ended, and for beams."""
        for layer in self.layers:
            layer.keys, layer.values = layer.keys[rows], layer.values[rows]
            if layer.cross is not None:
                layer.cross = (layer.cross[0][rows], layer.cross[1][rows])
        self.documents, self.next_position = self.documents[rows], self.next_position[rows]
