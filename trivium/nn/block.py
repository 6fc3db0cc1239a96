"""A layer: sublayers that each add to the hidden state, `after(x + f(before(x)))`.

Letters: B rows, T tokens, M memory tokens, D channels.
"""

__all__ = ["Block"]

from jaxtyping import Float
from torch import Tensor, nn

from trivium import architecture as arch
from trivium.nn.attention import Attention, Relation
from trivium.nn.cache import LayerCache
from trivium.nn.mask import Mask
from trivium.nn.mlp import MLP
from trivium.nn.norm import build_norm


class Block(nn.Module):
    """Self-attention, cross-attention where there is an encoder, MLP.

    Which norms are the identity makes it pre-norm or post-norm.
    """

    def __init__(self, layer: arch.Layer, dim: int) -> None:
        super().__init__()
        before, after, dropout = layer.norms.before, layer.norms.after, layer.dropout
        self.before_attention = build_norm(before, dim)
        by_distance = isinstance(layer.position, arch.RelativeSinusoids)
        self.attention = Attention(layer.attention, dim, dropout.attention, by_distance)
        self.after_attention = build_norm(after, dim)
        self.cross_attention = None
        if layer.cross_attention is not None:
            self.before_cross_attention = build_norm(before, dim)
            self.cross_attention = Attention(layer.cross_attention, dim, dropout.attention)
            self.after_cross_attention = build_norm(after, dim)
        self.before_mlp = build_norm(before, dim)
        self.mlp = MLP(layer.mlp, dim, dropout.hidden)
        self.after_mlp = build_norm(after, dim)
        self.dropout = nn.Dropout(dropout.residual)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        mask: Mask,
        relation: Relation = None,
        memory: Float[Tensor, "B M D"] | None = None,
        memory_mask: Mask | None = None,
        cache: LayerCache | None = None,
        start: int = 0,
    ) -> Float[Tensor, "B T D"]:
        """One layer up. `start` is the cache's column of the first of these tokens."""
        mixed = self.attention(self.before_attention(x), mask, relation, cache, start)
        x = self.after_attention(x + self.dropout(mixed))
        if self.cross_attention is not None:
            assert memory is not None
            assert memory_mask is not None
            read = self.cross_attention.over(memory, self.before_cross_attention(x), memory_mask, cache)
            x = self.after_cross_attention(x + self.dropout(read))
        out: Tensor = self.after_mlp(x + self.dropout(self.mlp(self.before_mlp(x))))
        return out
