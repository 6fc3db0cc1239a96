"""What a transformer is made of, as frozen data: the page that everything else reads. No torch.

    Architecture                 vocab, dim, and one or two stacks
    ├── encoder, decoder: Stack  depth layers, made by repeating a pattern
    │   ├── embedding            what is added to the tokens: Learned | Sinusoidal positions, segments, a norm
    │   ├── pattern: Layer, ...  attention, cross-attention, MLP, their norms, and a position:
    │   │                        Rotary | Alibi | RelativeBuckets | RelativeSinusoids
    │   └── final_norm           LayerNorm | RMSNorm
    ├── head: Head               from a hidden state to the vocabulary
    └── task: Task               or to labels and spans: Pooler | SequenceLabels | TokenLabels | Spans

Variants are sum types, not flags: each member carries only its own numbers, and the part that builds it is one `match`.
Every part counts itself: `parameters` are exact, and `flops` are the multiply-adds of matrix products, two
operations each (Kaplan et al. 2020, table 1; Hoffmann et al. 2022, appendix F), for one row's forward pass. Both equal
what the built model holds and what torch counts while it runs.
"""

__all__ = [
    "MLP",
    "Activation",
    "Alibi",
    "Architecture",
    "Attention",
    "Dropout",
    "Embedding",
    "EndToken",
    "FanIn",
    "Head",
    "Initialisation",
    "Kind",
    "Layer",
    "LayerNorm",
    "Learned",
    "LinearScaling",
    "LlamaScaling",
    "Norm",
    "Normal",
    "Norms",
    "Pooler",
    "Pooling",
    "Position",
    "Problem",
    "RMSNorm",
    "RelativeBuckets",
    "RelativeSinusoids",
    "Rotary",
    "RotaryScaling",
    "SequenceLabels",
    "Sinusoidal",
    "Spans",
    "Stack",
    "Task",
    "TokenLabels",
    "Xavier",
]

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from trivium.errors import ModelError

Activation = Literal["relu", "gelu", "gelu_tanh", "silu"]
Kind = Literal["encoder", "decoder", "encoder-decoder"]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ModelError(message)


# ---- norms ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LayerNorm:
    """(x − mean) / sqrt(variance + eps) · weight + bias (Ba et al. 2016)."""

    eps: float = 1e-5

    def parameters(self, dim: int) -> int:
        """A weight and a bias a channel."""
        return 2 * dim


@dataclass(frozen=True)
class RMSNorm:
    """x / sqrt(mean(x²) + eps) · weight (Zhang & Sennrich 2019)."""

    eps: float = 1e-6

    def parameters(self, dim: int) -> int:
        """A weight a channel."""
        return dim


Norm = LayerNorm | RMSNorm


@dataclass(frozen=True)
class Norms:
    """The norm slots of a sublayer: `after(x + f(before(x)))`; an absent slot is the identity.

    Post-norm is {after} (BERT and the 2017 Transformer), pre-norm is {before} (GPT-2, LLaMA, T5).
    """

    before: Norm | None = None
    after: Norm | None = None

    def parameters(self, dim: int) -> int:
        """Those of the slots that are filled."""
        return sum(norm.parameters(dim) for norm in (self.before, self.after) if norm is not None)


# ---- positions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Learned:
    """A vector a position, added to the token's (Vaswani et al. 2017, section 3.5).

    `positions` is the longest document; the table starts `offset` rows late where the published model does.
    """

    positions: int
    offset: int = 0

    def parameters(self, dim: int) -> int:
        """The table, offset rows included."""
        return (self.positions + self.offset) * dim


@dataclass(frozen=True)
class Sinusoidal:
    """Sines in the even channels and cosines in the odd ones, added to the token's vector.

    PE(p, 2i) = sin(p / 10000^(2i/dim)), PE(p, 2i+1) = cos(p / 10000^(2i/dim)) (Vaswani et al. 2017, section 3.5).
    """

    def parameters(self, dim: int) -> int:
        """None: the waves are computed."""
        return 0


@dataclass(frozen=True)
class LinearScaling:
    """Positions divided by `factor`, so that a longer context falls into the trained range (Chen et al. 2023)."""

    factor: float


@dataclass(frozen=True)
class LlamaScaling:
    """Slow waves stretched by `factor`, fast ones left, and a smooth passage between (LLaMA 3.1).

    A wave is fast where `original_positions` hold more than `high` of its periods, slow where they hold fewer than
    `low`.
    """

    factor: float
    low: float
    high: float
    original_positions: int

    def __post_init__(self) -> None:
        _require(self.high > self.low > 0, f"Rotary scaling needs 0 < low < high, got {self}.")


RotaryScaling = LinearScaling | LlamaScaling


@dataclass(frozen=True)
class Rotary:
    """Queries and keys turned by position · theta^(−2i/head_dim), halves paired as in LLaMA (Su et al. 2021)."""

    theta: float = 10_000.0
    scaling: RotaryScaling | None = None

    def parameters(self, heads: int) -> int:
        """None: the angles are computed."""
        return 0


@dataclass(frozen=True)
class RelativeBuckets:
    """A learned bias for each head and bucket of distance, shared by the layers (Raffel et al. 2020, section 2.1).

    Half of the buckets are exact distances, the others grow with the logarithm up to `max_distance`. A causal stack
    spends all of them on the past.
    """

    buckets: int = 32
    max_distance: int = 128

    def __post_init__(self) -> None:
        _require(
            self.buckets >= 4 and self.buckets % 2 == 0 and self.max_distance > self.buckets // 2,
            f"Relative positions need an even number of buckets from 4 up and distances beyond half of it, got {self}.",
        )

    def parameters(self, heads: int) -> int:
        """One number a bucket and head, once a stack."""
        return self.buckets * heads


@dataclass(frozen=True)
class Alibi:
    """A bias of −slope · distance on the scores; the slopes are a geometric sequence (Press et al. 2022, section 3)."""

    def parameters(self, heads: int) -> int:
        """None: the slopes are given."""
        return 0


@dataclass(frozen=True)
class RelativeSinusoids:
    """Scores (q + u)·k + (q + v)·W r(distance), with sinusoids r (Dai et al. 2019, section 3.3): Gopher's.

    Every layer has its own W, u and v, so they count with the layer.
    """

    def parameters(self, heads: int) -> int:
        """None in the stack: see `layer_parameters`."""
        return 0

    def layer_parameters(self, dim: int, query_dim: int) -> int:
        """W from the model's width to all heads, and the two vectors u and v."""
        return dim * query_dim + 2 * query_dim


Position = Rotary | Alibi | RelativeBuckets | RelativeSinusoids


# ---- the parts of a layer ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attention:
    """softmax(Q Kᵀ · scale) V in `heads` heads (Vaswani et al. 2017, equation 1).

    `kv_heads` below `heads` shares keys and values between groups of queries (Ainslie et al. 2023). A `scale` of None
    is 1/sqrt(head_dim); T5 has 1 and puts the factor into its initial weights. A `window` lets a token see itself and
    window − 1 before it only: a locally banded layer of GPT-3 (Child et al. 2019, section 4).
    """

    heads: int
    head_dim: int
    kv_heads: int | None = None
    qkv_bias: bool = False
    out_bias: bool = False
    scale: float | None = None
    window: int | None = None

    def __post_init__(self) -> None:
        _require(self.window is None or self.window > 0, f"A window must hold a token at least, got {self.window}.")
        _require(self.heads > 0 and self.head_dim > 0, f"Attention needs heads and a head size above 0, got {self}.")
        _require(
            self.heads % self.key_value_heads == 0,
            f"{self.heads} heads cannot share {self.key_value_heads} key-value heads: choose a divisor.",
        )

    @property
    def key_value_heads(self) -> int:
        """Heads of keys and values: `kv_heads`, or as many as queries have."""
        return self.kv_heads if self.kv_heads is not None else self.heads

    @property
    def query_dim(self) -> int:
        """Width of all queries together: heads · head_dim, which need not be the model's."""
        return self.heads * self.head_dim

    @property
    def key_value_dim(self) -> int:
        """Width of all keys (or values) together."""
        return self.key_value_heads * self.head_dim

    def parameters(self, dim: int) -> int:
        """Four projections and their biases."""
        weights = dim * (2 * self.query_dim + 2 * self.key_value_dim)
        biases = self.qkv_bias * (self.query_dim + 2 * self.key_value_dim) + self.out_bias * dim
        return weights + biases

    def flops(self, dim: int, queries: int, keys: int) -> int:
        """Projections of `queries` and `keys` positions, and the full (not causally halved) score matrix."""
        projections = 4 * dim * (queries * self.query_dim + keys * self.key_value_dim)
        return projections + 4 * queries * keys * self.query_dim


@dataclass(frozen=True)
class MLP:
    """down(act(up(x))), or down(act(gate(x)) · up(x)) when gated (Shazeer 2020)."""

    hidden: int
    activation: Activation
    gated: bool = False
    bias: bool = False

    def __post_init__(self) -> None:
        _require(self.hidden > 0, f"An MLP needs a hidden size above 0, got {self.hidden}.")

    def parameters(self, dim: int) -> int:
        """Two matrices, three when gated, and their biases."""
        weights = (3 if self.gated else 2) * dim * self.hidden
        return weights + self.bias * ((2 if self.gated else 1) * self.hidden + dim)

    def flops(self, dim: int, tokens: int) -> int:
        """The matrix products of `tokens` positions."""
        return 2 * (3 if self.gated else 2) * dim * self.hidden * tokens


@dataclass(frozen=True)
class Dropout:
    """Shares of values zeroed while training: of what a sublayer adds, of the attention weights, of the MLP inside."""

    residual: float = 0.0
    attention: float = 0.0
    hidden: float = 0.0


@dataclass(frozen=True)
class Layer:
    """Self-attention, cross-attention in the decoder of a pair, and an MLP, each with the same norm slots."""

    attention: Attention
    mlp: MLP
    norms: Norms
    position: Position | None = None
    cross_attention: Attention | None = None
    dropout: Dropout = Dropout()

    def __post_init__(self) -> None:
        if isinstance(self.position, Rotary):
            _require(
                self.attention.head_dim % 2 == 0,
                f"Rotary positions pair a head's channels, so its size must be even, got {self.attention.head_dim}.",
            )
        _require(
            self.cross_attention is None or self.cross_attention.window is None,
            "A window is for a stack's own tokens: cross-attention cannot have one.",
        )
        _require(
            not isinstance(self.position, RelativeSinusoids) or self.attention.heads == self.attention.key_value_heads,
            "Relative sinusoids are given to every head by itself: key-value heads cannot be shared.",
        )

    def parameters(self, dim: int) -> int:
        """Of the sublayers and their norms; positions that layers share belong to the stack."""
        own = 0
        if isinstance(self.position, RelativeSinusoids):
            own = self.position.layer_parameters(dim, self.attention.query_dim)
        return own + self._sublayers(dim)

    def _sublayers(self, dim: int) -> int:
        cross = 0 if self.cross_attention is None else self.cross_attention.parameters(dim) + self.norms.parameters(dim)
        return self.attention.parameters(dim) + self.mlp.parameters(dim) + 2 * self.norms.parameters(dim) + cross

    def flops(self, dim: int, tokens: int, memory: int) -> int:
        """Of `tokens` positions that may look at `memory` positions of an encoder."""
        cross = 0 if self.cross_attention is None else self.cross_attention.flops(dim, tokens, memory)
        position = 0
        if isinstance(self.position, RelativeSinusoids):  # W over every distance, and each query over all of those
            position = 2 * tokens * self.attention.query_dim * (dim + tokens)
        return self.attention.flops(dim, tokens, tokens) + self.mlp.flops(dim, tokens) + cross + position


# ---- stacks --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Embedding:
    """What joins the tokens before the first layer: positions, segment types (BERT's sentences A and B), a norm.

    `scale` multiplies the token's vector first; the 2017 Transformer has sqrt(dim).
    """

    position: Learned | Sinusoidal | None = None
    scale: float = 1.0
    segments: int = 0
    norm: Norm | None = None
    dropout: float = 0.0

    def parameters(self, dim: int) -> int:
        """Without the token table, which the stacks share."""
        position = 0 if self.position is None else self.position.parameters(dim)
        return position + self.segments * dim + (0 if self.norm is None else self.norm.parameters(dim))


@dataclass(frozen=True)
class Stack:
    """`depth` layers, the pattern repeated. `causal`: a token sees itself and the past only.

    `trained_length` is the longest document of its training, for stacks whose positions set no limit by themselves:
    programs that serve it read it.
    """

    depth: int
    pattern: tuple[Layer, ...]
    causal: bool
    embedding: Embedding = Embedding()
    final_norm: Norm | None = None
    final_dropout: float = 0.0
    trained_length: int | None = None

    def __post_init__(self) -> None:
        _require(
            self.depth > 0 and len(self.pattern) > 0 and self.depth % len(self.pattern) == 0,
            f"A stack of {self.depth} layers cannot repeat a pattern of {len(self.pattern)}: depth must be a multiple.",
        )
        _require(
            self.causal or not any(isinstance(layer.position, RelativeSinusoids) for layer in self.pattern),
            "Relative sinusoids count the distance into the past, so their stack must be causal.",
        )

    @property
    def periods(self) -> int:
        """How often the pattern is repeated."""
        return self.depth // len(self.pattern)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers from bottom to top."""
        return self.pattern * self.periods

    @property
    def positions(self) -> tuple[tuple[Position, int], ...]:
        """The distinct positions of the layers with their heads, in order of first use: the stack owns one of each."""
        found = [(layer.position, layer.attention.heads) for layer in self.pattern if layer.position is not None]
        return tuple(dict.fromkeys(found))

    @property
    def context(self) -> int | None:
        """The longest document that the positions allow, or None where nothing limits it."""
        position = self.embedding.position
        return position.positions if isinstance(position, Learned) else None

    def parameters(self, dim: int) -> int:
        """Of everything but the token table."""
        layers = self.periods * sum(layer.parameters(dim) for layer in self.pattern)
        positions = sum(position.parameters(heads) for position, heads in self.positions)
        norm = 0 if self.final_norm is None else self.final_norm.parameters(dim)
        return self.embedding.parameters(dim) + layers + positions + norm

    def flops(self, dim: int, tokens: int, memory: int = 0) -> int:
        """One row's forward pass through the layers."""
        return self.periods * sum(layer.flops(dim, tokens, memory) for layer in self.pattern)


# ---- task heads ----------------------------------------------------------------------------------------------------

Problem = Literal["single_label_classification", "multi_label_classification", "regression"]


@dataclass(frozen=True)
class EndToken:
    """Pooling at the last token of this id: where a decoder beside an encoder has read the whole text (BART, T5)."""

    id: int


#: How the hidden states of a text become one: its first token's, its last token's, or their mean.
Pooling = Literal["first", "last", "mean"]


@dataclass(frozen=True)
class Pooler:
    """tanh(linear(first token)): what BERT makes of a text (Devlin et al. 2019, section 3.1)."""

    def parameters(self, dim: int) -> int:
        """One square matrix and its bias."""
        return dim * dim + dim

    def flops(self, dim: int, positions: int) -> int:
        """At one position of a row."""
        return 2 * dim * dim


@dataclass(frozen=True)
class SequenceLabels:
    """A label for a text: project(dropout(tanh(linear(input_dropout(pooled))))).

    Without `transform` there is neither linear nor tanh. Where there is a decoder beside the encoder it reads the same
    text, shifted behind `start_id`. A `problem` of None is one label of several, or one number where there is one.
    """

    labels: tuple[str, ...]
    pool: Pooling | EndToken = "first"
    transform: bool = False
    bias: bool = True
    input_dropout: float = 0.0
    dropout: float = 0.0
    problem: Problem | None = None
    start_id: int | None = None

    def __post_init__(self) -> None:
        _require_labels(self.labels)

    def parameters(self, dim: int) -> int:
        """The transform, and a row a label."""
        transform = dim * dim + dim if self.transform else 0
        return transform + len(self.labels) * (dim + self.bias)

    def flops(self, dim: int, positions: int) -> int:
        """At one position of a row."""
        return 2 * dim * (len(self.labels) + (dim if self.transform else 0))


@dataclass(frozen=True)
class TokenLabels:
    """A label for every token: project(dropout(x))."""

    labels: tuple[str, ...]
    bias: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _require_labels(self.labels)

    def parameters(self, dim: int) -> int:
        """A row a label."""
        return len(self.labels) * (dim + self.bias)

    def flops(self, dim: int, positions: int) -> int:
        """At every position."""
        return 2 * dim * len(self.labels) * positions


@dataclass(frozen=True)
class Spans:
    """Two numbers a token: how well an answer starts and ends there (Devlin et al. 2019, section 4.2).

    A decoder beside an encoder reads the same text, shifted behind `start_id`.
    """

    start_id: int | None = None

    def parameters(self, dim: int) -> int:
        """Two rows with biases."""
        return 2 * (dim + 1)

    def flops(self, dim: int, positions: int) -> int:
        """At every position."""
        return 4 * dim * positions


Task = Pooler | SequenceLabels | TokenLabels | Spans


def _require_labels(labels: tuple[str, ...]) -> None:
    _require(len(labels) > 0, "A head that labels needs a label at least.")


# ---- the whole -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """From a hidden state to the vocabulary: project(norm(act(linear(x))) · scale) + bias.

    All but the projection is optional; `tied` shares it with the token table (Press & Wolf 2017). BERT has the
    transform, T5 the scale.
    """

    tied: bool = True
    bias: bool = False
    transform: Activation | None = None
    norm: Norm | None = None
    scale: float = 1.0

    def parameters(self, dim: int, vocab: int) -> int:
        """A tied projection is counted with the token table."""
        transform = dim * dim + dim if self.transform is not None else 0
        norm = 0 if self.norm is None else self.norm.parameters(dim)
        return transform + norm + self.bias * vocab + (0 if self.tied else dim * vocab)

    def flops(self, dim: int, vocab: int, positions: int) -> int:
        """At the positions where the head runs: all of them, or those that bear a loss."""
        return 2 * positions * dim * (vocab + (dim if self.transform is not None else 0))


@dataclass(frozen=True)
class Normal:
    """Initial weights from N(0, std²), zero biases (Devlin et al. 2019; Radford et al. 2019).

    `scale_residual` divides those that write to the residual stream by sqrt(2 · depth), as GPT-2 does (section 2.3).
    """

    std: float = 0.02
    scale_residual: bool = False


@dataclass(frozen=True)
class FanIn:
    """Initial weights from N(0, 1/fan-in), tokens from N(0, 1), queries also by 1/sqrt(head_dim): T5's."""


@dataclass(frozen=True)
class Xavier:
    """Uniform weights of variance 2/(fan-in + fan-out), tokens from N(0, 1/dim): the 2017 Transformer's own code."""


Initialisation = Normal | FanIn | Xavier


@dataclass(frozen=True)
class Architecture:
    """A whole model. Exactly the stacks that are there make its kind.

    Tokens share one table of `vocab` rows and `dim` channels. A head and a task may stand side by side, as BERT was
    trained. `family` says whose published names and config it is saved under; nothing computes by it.
    """

    family: str
    vocab: int
    dim: int
    encoder: Stack | None = None
    decoder: Stack | None = None
    head: Head | None = None
    initialisation: Initialisation = field(default_factory=Normal)
    task: Task | None = None

    def __post_init__(self) -> None:
        _require(self.vocab > 0 and self.dim > 0, f"Neither vocabulary nor width can be {min(self.vocab, self.dim)}.")
        _require(bool(self.encoder or self.decoder), "A model needs an encoder, a decoder, or both.")
        pair = self.encoder is not None and self.decoder is not None
        for stack, crossed in ((self.encoder, False), (self.decoder, pair)):
            _require(
                stack is None or all((layer.cross_attention is not None) == crossed for layer in stack.pattern),
                "Cross-attention belongs in every layer of a decoder that has an encoder beside it, and nowhere else.",
            )

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks that are there, the encoder first."""
        return tuple(stack for stack in (self.encoder, self.decoder) if stack is not None)

    @property
    def kind(self) -> Kind:
        """Which of the three families it belongs to."""
        if self.decoder is None:
            return "encoder"
        return "decoder" if self.encoder is None else "encoder-decoder"

    @property
    def output_stack(self) -> Stack:
        """The stack that the head reads."""
        stack = self.decoder or self.encoder
        assert stack is not None
        return stack

    @property
    def context(self) -> int | None:
        """The longest input, in tokens, or None where positions do not limit it."""
        return self.stacks[0].context

    @property
    def parameters(self) -> int:
        """Every trainable number, tied ones once: what Chinchilla calls N."""
        stacks = sum(stack.parameters(self.dim) for stack in self.stacks)
        head = 0 if self.head is None else self.head.parameters(self.dim, self.vocab)
        task = 0 if self.task is None else self.task.parameters(self.dim)
        return self.vocab * self.dim + stacks + head + task

    @property
    def non_embedding_parameters(self) -> int:
        """Without the tables of tokens, positions and vocabulary: Kaplan's N."""
        positions = sum(s.embedding.position.parameters(self.dim) for s in self.stacks if s.embedding.position)
        untied = 0 if self.head is None or self.head.tied else self.dim * self.vocab
        return self.parameters - self.vocab * self.dim - positions - untied

    def flops(self, inputs: int, outputs: int | None = None, targets: int | None = None) -> int:
        """Forward pass over one row of `inputs` tokens (and `outputs` of a decoder beside an encoder).

        The head runs at `targets` positions: all that it could speak at, unless told.
        """
        if self.encoder is not None and self.decoder is not None:
            written = inputs if outputs is None else outputs
            body = self.encoder.flops(self.dim, inputs) + self.decoder.flops(self.dim, written, inputs)
        else:
            written = inputs
            body = self.output_stack.flops(self.dim, inputs)
        spoken = written if targets is None else targets
        task = 0 if self.task is None else self.task.flops(self.dim, written)
        return body + task + (0 if self.head is None else self.head.flops(self.dim, self.vocab, spoken))

    def training_flops(self, inputs: int, outputs: int | None = None, targets: int | None = None) -> int:
        """Forward and backward pass over one row: the backward pass costs twice the forward (Kaplan et al. 2020)."""
        return 3 * self.flops(inputs, outputs, targets)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for reports."""
        return asdict(self)
