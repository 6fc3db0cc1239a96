"""From a hidden state to the vocabulary.

Letters: D channels, V vocabulary.
"""

__all__ = ["Head"]

from jaxtyping import Float
from torch import Tensor, nn

from trivium import architecture as arch
from trivium.nn.mlp import activate
from trivium.nn.norm import build_norm


class Head(nn.Module):
    """project(norm(act(linear(x))) · scale): logits. Run it only at the positions whose logits are wanted."""

    def __init__(self, head: arch.Head, tokens: nn.Embedding) -> None:
        super().__init__()
        vocab, dim = tokens.num_embeddings, tokens.embedding_dim
        self.activation = head.transform
        self.scale = head.scale
        self.transform = nn.Linear(dim, dim) if head.transform is not None else None
        self.norm = build_norm(head.norm, dim)
        self.projection = nn.Linear(dim, vocab, bias=head.bias)
        if head.tied:
            self.projection.weight = tokens.weight

    def forward(self, x: Float[Tensor, "*rest D"]) -> Float[Tensor, "*rest V"]:
        """Any leading shape, so that rows can be picked before."""
        if self.transform is not None and self.activation is not None:
            x = activate(self.transform(x), self.activation)
        x = self.norm(x)
        logits: Tensor = self.projection(x if self.scale == 1.0 else x * self.scale)
        return logits
