"""The matrix products of a training step, one by one: what its operations and its time are summed from. No torch.

    Linear      y = x W of `rows` positions            forward 2·rows·I·O; as much for W's gradient, and for x's
    Scores      softmax(Q Kᵀ) V of all heads           forward 4·rows·heads·T·K·E; twice as much backward

A backward product is there only where a gradient is wanted: a frozen weight has none, nor has anything that lies below
the first trained weight. With activation checkpointing the blocks' forward products are done twice, but for the last
one of a block that ends with it, whose result nothing waits for.

I, O: channels in and out    T, K: queries and keys of a row    E: channels of a head
"""

__all__ = ["Form", "Linear", "Operation", "Scores", "operations"]

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from trivium.architecture import (
    MLP,
    Alibi,
    Architecture,
    Attention,
    Layer,
    Pooler,
    RelativeBuckets,
    RelativeSinusoids,
    SequenceLabels,
    Stack,
    TokenLabels,
)
from trivium.plan.workload import Workload

#: How attention is told who sees whom: all, the past alone, a matrix; or without a fused kernel, which on a processor
#: knows neither biases that are learned nor dropout of the weights.
Form = Literal["full", "causal", "matrix", "unfused"]


@dataclass(frozen=True)
class Linear:
    """y = x W. `trained`: W's gradient is made. `passed`: x's is. `recomputed`: y is made twice."""

    rows: int
    inputs: int
    outputs: int
    trained: bool = True
    passed: bool = True
    recomputed: bool = False

    @property
    def forward(self) -> int:
        """Operations of y."""
        return 2 * self.rows * self.inputs * self.outputs

    @property
    def backward(self) -> int:
        """Operations of the gradients that are made."""
        return (self.trained + self.passed) * self.forward


@dataclass(frozen=True)
class Scores:
    """softmax(Q Kᵀ) V, counted in full also where half is masked.

    `gradients` are those made of four: of Q, K, V, and of the weights between.
    """

    rows: int
    heads: int
    queries: int
    keys: int
    size: int
    form: Form
    gradients: int = 4
    recomputed: bool = False

    @property
    def forward(self) -> int:
        """Operations of both products."""
        return 4 * self.rows * self.heads * self.queries * self.keys * self.size

    @property
    def backward(self) -> int:
        """A product for each gradient; what a fused kernel computes anew, to save memory, is not counted."""
        return self.gradients * self.forward // 2


Operation = Linear | Scores


@lru_cache(maxsize=64)
def operations(workload: Workload) -> tuple[Operation, ...]:
    """The products of one micro-batch in the order of its forward pass."""
    return tuple(_Walk(workload).run())


class _Walk:
    """Goes up the model and keeps whether the hidden state carries a gradient."""

    def __init__(self, workload: Workload) -> None:
        self.workload, self.lora = workload, workload.lora
        self.full = self.lora is None
        self.carries = self.full  # token tables are trained, or frozen

    def run(self) -> Iterator[Operation]:
        workload, architecture = self.workload, self.workload.architecture
        memory_carries, memory = False, 0
        if architecture.encoder is not None:
            yield from self._stack("encoder", architecture.encoder, workload.inputs, 0, False)
            memory_carries, memory = self.carries, workload.inputs
        if architecture.decoder is not None:
            self.carries = self.full
            yield from self._stack("decoder", architecture.decoder, workload.written, memory, memory_carries)
        if architecture.head is not None:
            positions, dim = workload.head_positions, architecture.dim
            if architecture.head.transform is not None:
                yield from self._linear("head.transform", positions, dim, dim)
            yield from self._linear("head.projection", positions, dim, architecture.vocab)
        yield from self._task(architecture)

    def _stack(self, name: str, stack: Stack, tokens: int, memory: int, memory_carries: bool) -> Iterator[Operation]:
        for index, layer in enumerate(stack.layers):
            made = list(self._layer(f"{name}.layers.{index}", layer, stack.causal, tokens, memory, memory_carries))
            if self.workload.activation_checkpointing and self.carries:
                kept = layer.norms.after is not None or layer.dropout.residual > 0
                kept |= self._decomposes(f"{name}.layers.{index}.mlp.down")  # its product is saved behind it
                made = [replace(each, recomputed=kept or each is not made[-1]) for each in made]
            yield from made

    def _layer(
        self, name: str, layer: Layer, causal: bool, tokens: int, memory: int, memory_carries: bool
    ) -> Iterator[Operation]:
        carrying = self.carries or (self.lora is not None and self.lora.matches(f"{name}.attention.query"))
        form = self._form(layer, causal, tokens, carrying)
        if isinstance(layer.position, RelativeSinusoids):  # W over every distance, and each query over all of those
            attention = layer.attention
            dim = self.workload.architecture.dim
            yield Linear(tokens, dim, attention.query_dim, trained=self.full, passed=False)
            rows = self.workload.rows * tokens
            yield Linear(rows, attention.query_dim, tokens, trained=self.full, passed=carrying)
        yield from self._attention(f"{name}.attention", layer.attention, form, tokens, tokens, self.carries)
        if layer.cross_attention is not None:
            crossed: Form = "matrix" if self.workload.masked else "full"
            crossed = "unfused" if layer.dropout.attention > 0 else crossed
            yield from self._attention(
                f"{name}.cross_attention", layer.cross_attention, crossed, tokens, memory, memory_carries
            )
        yield from self._mlp(f"{name}.mlp", layer.mlp, self.workload.rows * tokens)

    def _form(self, layer: Layer, causal: bool, tokens: int, carrying: bool) -> Form:
        if layer.dropout.attention > 0:
            return "unfused"
        match layer.position:
            case RelativeBuckets() if self.full:
                return "unfused"
            case RelativeSinusoids() if carrying:
                return "unfused"
            case RelativeBuckets() | RelativeSinusoids() | Alibi():
                return "matrix"
        window = layer.attention.window
        if self.workload.masked or (window is not None and window < tokens):
            return "matrix"
        return "causal" if causal else "full"

    def _attention(
        self, name: str, attention: Attention, form: Form, queries: int, keys: int, memory_carries: bool
    ) -> Iterator[Operation]:
        rows, dim, below = self.workload.rows, self.workload.architecture.dim, self.carries
        yield from self._linear(f"{name}.query", rows * queries, dim, attention.query_dim)
        carrying = [self.carries]
        for part in ("key", "value"):
            self.carries = memory_carries
            yield from self._linear(f"{name}.{part}", rows * keys, dim, attention.key_value_dim)
            carrying.append(self.carries)
        gradients = sum(carrying) + (carrying[0] or carrying[1])
        yield Scores(rows, attention.heads, queries, keys, attention.head_dim, form, gradients)
        self.carries = any(carrying)
        yield from self._linear(f"{name}.output", rows * queries, attention.query_dim, dim)
        self.carries |= below  # the residual stream goes past

    def _mlp(self, name: str, mlp: MLP, rows: int) -> Iterator[Operation]:
        dim, below, inside = self.workload.architecture.dim, self.carries, False
        for part in ("up", "gate") if mlp.gated else ("up",):
            self.carries = below
            yield from self._linear(f"{name}.{part}", rows, dim, mlp.hidden)
            inside |= self.carries
        self.carries = inside
        yield from self._linear(f"{name}.down", rows, mlp.hidden, dim)
        self.carries |= below

    def _linear(self, name: str, rows: int, inputs: int, outputs: int) -> Iterator[Linear]:
        """The layer, and the two thin ones beside it where LoRA names it; with DoRA, those of its rows' lengths too."""
        below = self.carries
        lora = self.lora if self.lora is not None and self.lora.matches(name) else None
        if lora is not None:
            yield Linear(rows, inputs, lora.rank, passed=below)
            yield Linear(rows, lora.rank, outputs)
            self.carries = True
        yield Linear(rows, inputs, outputs, trained=self.full, passed=below)
        if self._decomposes(name) and lora is not None:  # W Aᵀ, A Aᵀ and B A Aᵀ, forwards alone
            yield Linear(outputs, inputs, lora.rank, trained=False, passed=False)
            yield Linear(lora.rank, inputs, lora.rank, trained=False, passed=False)
            yield Linear(outputs, lora.rank, lora.rank, trained=False, passed=False)

    def _decomposes(self, name: str) -> bool:
        return self.lora is not None and self.lora.decomposed and self.lora.matches(name)

    def _task(self, architecture: Architecture) -> Iterator[Linear]:
        rows, positions, dim = self.workload.rows, self.workload.rows * self.workload.written, architecture.dim
        match architecture.task:
            case None:
                return
            case Pooler():
                shapes = [(rows, dim)]
            case SequenceLabels(labels=labels, transform=transform):
                shapes = [(rows, dim)] * transform + [(rows, len(labels))]
            case TokenLabels(labels=labels):
                shapes = [(positions, len(labels))]
            case _:
                shapes = [(positions, 2)]
        for count, outputs in shapes:
            yield Linear(count, dim, outputs, trained=self.full, passed=self.carries)
