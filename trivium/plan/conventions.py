"""How others count operations, as they published it, to be read beside our exact count. No torch.

    Kaplan et al. 2020, table 1                of a token, forward: 2 N + 2 · L · T · d_attn, N without tables
    Hoffmann et al. 2022, appendix F           of a row, forward: every product, softmax too, and tables as products

Kaplan counts the attention of a token to T/2 others, what a causal one sees on average, and Hoffmann to all T. The text
of appendix F counts both tables as products of width V; the ratios to 6 N D that its table A4 prints are those without
them (and N with them), so that `vocabulary` is False for these.

L: layers    d: width    T: tokens of a row    V: vocabulary    a multiply-add is two operations
"""

__all__ = ["HoffmannCount", "KaplanCount", "hoffmann_count", "kaplan_count"]

from dataclasses import asdict, dataclass
from typing import Any

from trivium.architecture import Architecture, Layer, Stack
from trivium.errors import UsageError


@dataclass(frozen=True)
class KaplanCount:
    """The rows of table 1: forward operations of a token, and N, the parameters but for tables, norms and biases."""

    parameters: int
    embed: int
    qkv: int
    mask: int
    project: int
    feedforward: int
    de_embed: int

    @property
    def forward(self) -> int:
        """The row "total (non-embedding)": 2 N + 2 · L · T · d_attn."""
        return self.qkv + self.mask + self.project + self.feedforward

    @property
    def training(self) -> int:
        """Forward and backward: three times as much."""
        return 3 * self.forward

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the totals."""
        return {**asdict(self), "forward": self.forward, "training": self.training}


def kaplan_count(architecture: Architecture, context: int) -> KaplanCount:
    """Count a decoder by table 1. Raises `UsageError` for another kind: the table is for decoders alone."""
    stack, dim = _decoder(architecture), architecture.dim
    qkv = sum(dim * (layer.attention.query_dim + 2 * layer.attention.key_value_dim) for layer in stack.layers)
    project = sum(layer.attention.query_dim * dim for layer in stack.layers)
    feedforward = sum((3 if layer.mlp.gated else 2) * dim * layer.mlp.hidden for layer in stack.layers)
    return KaplanCount(
        parameters=qkv + project + feedforward,
        embed=4 * dim,
        qkv=2 * qkv,
        mask=sum(2 * context * layer.attention.query_dim for layer in stack.layers),
        project=2 * project,
        feedforward=2 * feedforward,
        de_embed=2 * dim * architecture.vocab,
    )


@dataclass(frozen=True)
class HoffmannCount:
    """Forward operations of a row of `tokens`, by appendix F."""

    tokens: int
    embeddings: int
    layers: int
    logits: int

    def training(self, *, vocabulary: bool = True) -> int:
        """Forward and backward: three times as much. Without `vocabulary`, of the layers alone."""
        return 3 * (self.layers + (self.embeddings + self.logits if vocabulary else 0))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the totals."""
        return {
            **asdict(self),
            "training": self.training(),
            "training_without_vocabulary": self.training(vocabulary=False),
        }


def hoffmann_count(architecture: Architecture, tokens: int) -> HoffmannCount:
    """Count a decoder's row by appendix F, which leaves out what relative positions cost.

    Raises `UsageError` for another kind.
    """
    stack, dim = _decoder(architecture), architecture.dim
    table = 2 * tokens * architecture.vocab * dim
    return HoffmannCount(tokens, table, sum(_layer(layer, dim, tokens) for layer in stack.layers), table)


def _layer(layer: Layer, dim: int, tokens: int) -> int:
    plain = layer.attention.flops(dim, tokens, tokens) + layer.mlp.flops(dim, tokens)
    return plain + 3 * layer.attention.heads * tokens**2


def _decoder(architecture: Architecture) -> Stack:
    if architecture.kind != "decoder":
        raise UsageError(
            f"The published counts are of decoders, and this {architecture.family} is an {architecture.kind}: take our "
            "own, `trivium.plan.compute.step_flops`."
        )
    return architecture.output_stack
