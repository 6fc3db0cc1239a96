"""What an objective makes and a loss reads.

Letters: B rows, T positions of the input, U positions where the head may speak (U = T for an encoder or a decoder), N
texts (N = B unless a row holds several).
"""

__all__ = ["IGNORE", "PADDING", "Batch"]

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

#: The target of a position that takes no part in the loss (torch's and Hugging Face's number for it).
IGNORE = -100
#: The document number of padding.
PADDING = 0


@dataclass(frozen=True)
class Batch:
    """A step's worth of rows, ready for the model.

    `documents` numbers the documents packed into a row from 1, and is 0 on padding: a token attends only to tokens of
    the same number, and positions restart with each. None says that every row is one document without padding.
    `targets[b, u]` is what the model must say at position u (already shifted), or `IGNORE`.
    `segments` tells the two sentences of a pair apart. `labels` is what the task head must say of each text, in their
    order: a class, a number, a number for each label, or where an answer begins and ends.
    `prefix` marks the tokens of a decoder that see each other in both directions.
    """

    input_ids: Int[Tensor, "B T"]
    targets: Int[Tensor, "B U"]
    documents: Int[Tensor, "B T"] | None = None
    decoder_input_ids: Int[Tensor, "B U"] | None = None
    decoder_documents: Int[Tensor, "B U"] | None = None
    segments: Int[Tensor, "B T"] | None = None
    labels: Int[Tensor, "N *label"] | Float[Tensor, "N *label"] | None = None
    prefix: Bool[Tensor, "B T"] | None = None

    @property
    def target_tokens(self) -> int:
        """How many positions the loss is taken over."""
        return int((self.targets != IGNORE).sum())

    @property
    def tokens(self) -> int:
        """How many tokens the model reads, padding left out, on both sides of an encoder-decoder."""
        read = self.input_ids.numel() if self.documents is None else int((self.documents != PADDING).sum())
        if self.decoder_input_ids is None:
            return read
        if self.decoder_documents is None:
            return read + self.decoder_input_ids.numel()
        return read + int((self.decoder_documents != PADDING).sum())

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        pair = (self.decoder_input_ids, self.decoder_documents)
        optional = (self.documents, *pair, self.segments, self.labels, self.prefix)
        moved = (None if tensor is None else tensor.to(device) for tensor in optional)
        return Batch(self.input_ids.to(device), self.targets.to(device), *moved)
