"""The model once more, in bytes: each part of `trivium.nn` as the tensors that it makes and saves. No torch.

What a part saves for the backward pass, in a step without dropout (s bytes a number, 2 under autocast, else 4):

    LayerNorm         its input and two numbers a token         RMSNorm    its input, the normed, one number a token
    linear            its input; W is there anyway              MLP        before the activation (ReLU: behind), behind
    attention kernel  Q, K, V, its output and log-sum-exp: no matrix of scores. With dropout, or with a bias that is
                      learned (T5), copies of Q, K, V and the B x H x Q x K weights: twice more where they are dropped
    dropout           a mask of its input's size and type (one byte a number on a GPU)

The order of operations, and how long Python keeps a name, are those of the modules: read them beside this page.

Letters: B rows, T tokens (queries), K keys, D channels, H heads, G key-value heads, E channels of a head.
"""

__all__ = ["Lengths", "Parts", "Relation", "Sight"]

from typing import NamedTuple

from trivium import architecture as arch
from trivium.adapt.lora import Lora
from trivium.plan.tape import Flow, Parameter, Tape, Tensor

#: What a layer is told of positions: cosines and sines, or waves of the distance.
Relation = tuple[Tensor, ...]


class Sight(NamedTuple):
    """What attention is told: nothing (or that it is causal), a boolean matrix, or a floating one, which is a bias."""

    matrix: Tensor | None = None
    bias: bool = False
    causal: bool = False


class Lengths(NamedTuple):
    """Of one attention: rows, heads of the queries, queries and keys of a row."""

    rows: int
    heads: int
    queries: int
    keys: int


class Parts:
    """Runs the parts on a tape, and keeps the weights it meets by their names."""

    def __init__(self, tape: Tape, dim: int, lora: Lora | None, accumulates: bool) -> None:
        self.tape, self.dim, self.lora, self.accumulates = tape, dim, lora, accumulates
        self.weights: dict[str, Parameter] = {}

    # ---- weights and small parts -----------------------------------------------------------------------------------

    def weight(self, name: str, *shape: int, adapted: bool = False) -> Parameter:
        """The weight of this name: trained, or frozen beside an adaptation."""
        if name not in self.weights:
            self.weights[name] = Parameter(shape, self.lora is None or adapted, self.accumulates)
        return self.weights[name]

    def linear(self, name: str, x: Tensor, inputs: int, outputs: int, bias: bool) -> Tensor:
        """A linear layer, and the update of low rank beside it where there is one."""
        tape = self.tape
        weight = self.weight(f"{name}.weight", outputs, inputs)
        offset = self.weight(f"{name}.bias", outputs) if bias else None
        if self.lora is None or not self.lora.matches(name):
            return tape.linear(x, weight, offset)
        down = self.weight(f"{self.lora.sharing(name)[0]}.down", self.lora.rank, inputs, adapted=True)
        up = self.weight(f"{name}.up", outputs, self.lora.rank, adapted=True)
        update = tape.linear(tape.linear(self.dropout(x, self.lora.dropout), down), up)
        base = tape.linear(x, weight, None if self.lora.decomposed else offset)
        whole = self.sum(base, self.scaled(update))
        if not self.lora.decomposed:
            return whole
        del base
        return self._at_own_lengths(name, whole, outputs, offset)

    def _at_own_lengths(self, name: str, whole: Tensor, outputs: int, offset: Parameter | None) -> Tensor:
        # DoRA: what the rows' lengths are made of is gone before they are; they and the product are kept.
        assert self.lora is not None
        tape, magnitude = self.tape, self.weight(f"{name}.magnitude", outputs, adapted=True)
        tape.scratch(3 * 4 * outputs * self.lora.rank)
        lengths = tape.make(outputs)
        ratio = tape.cast(tape.operation(outputs, 4, [(magnitude, 4 * outputs)], [lengths]), whole.width)
        del lengths
        size = whole.elements * whole.width
        flows = [(whole.edge, size), (ratio.edge, outputs * ratio.width)]
        out = tape.operation(whole.elements, whole.width, flows, [whole, ratio], scratch=size)
        return out if offset is None else self.sum(out, tape.weight(offset))

    def norm(self, name: str, norm: arch.Norm | None, x: Tensor) -> Tensor:
        """A norm over the last D channels; an absent one is the identity."""
        if norm is None:
            return x
        tape, kind, tokens = self.tape, self.tape.kind, x.elements // self.dim
        tape.kind = "norms"
        weight = self.weight(f"{name}.weight", self.dim)
        edge = weight if weight.trained else None
        size = 4 * x.elements
        if isinstance(norm, arch.LayerNorm):
            bias = self.weight(f"{name}.bias", self.dim)
            flows = [(x.edge, size), (edge, 4 * self.dim), (bias if edge else None, 4 * self.dim)]
            out = tape.operation(x.elements, 4, flows, [x] if x.edge or edge else [], statistics=8 * tokens)
        else:
            tape.scratch(size)
            scale = tape.operation(tokens, 4, [(x.edge, size)], [x], saves_output=True, scratch=3 * size)
            normed = tape.operation(x.elements, 4, [(x.edge, size), (scale.edge, 4 * tokens)], [x, scale], scratch=size)
            del scale
            flows = [(normed.edge, size), (edge, 4 * self.dim)]
            out = tape.operation(x.elements, 4, flows, [normed] if edge else [], scratch=size if edge else 0)
        tape.kind = kind
        return out

    def sum(self, a: Tensor, b: Tensor) -> Tensor:
        """The sum, in the wider of their types: nothing is saved."""
        width = max(a.width, b.width)
        elements = max(a.elements, b.elements)
        flows = [(x.edge, None if (x.width, x.elements) == (width, elements) else x.elements * x.width) for x in (a, b)]
        return self.tape.operation(elements, width, flows)

    def scaled(self, x: Tensor) -> Tensor:
        """Times a number: nothing is saved."""
        return self.tape.operation(x.elements, x.width, [(x.edge, x.elements * x.width)])

    def dropout(self, x: Tensor, share: float) -> Tensor:
        """Times a random mask, which is saved."""
        if share == 0.0:
            return x
        kind, self.tape.kind = self.tape.kind, "dropout masks"
        mask = self.tape.make(x.elements, x.width)
        self.tape.kind = kind
        return self.tape.operation(x.elements, x.width, [(x.edge, x.elements * x.width)], [mask])

    def activate(self, x: Tensor, activation: arch.Activation) -> Tensor:
        """ReLU saves what it returns, the others what they read."""
        relu = activation == "relu"
        flows = [(x.edge, x.elements * x.width)]
        return self.tape.operation(x.elements, x.width, flows, [] if relu else [x], saves_output=relu)

    def times(self, a: Tensor, b: Tensor) -> Tensor:
        """The product, number by number: each is saved for the gradient of the other."""
        saved = ([b] if a.edge else []) + ([a] if b.edge else [])
        flows = [(x.edge, x.elements * x.width) for x in (a, b)]
        return self.tape.operation(a.elements, a.width, flows, saved)

    # ---- attention -------------------------------------------------------------------------------------------------

    def rotate(self, x: Tensor, relation: Relation) -> Tensor:
        """Turn by angles, x · cos + (−x₂, x₁) · sin, which are saved in the type of x."""
        tape, size = self.tape, x.elements * x.width
        cos, sin = (tape.make(angle.elements, 2) if x.width == 2 else angle for angle in relation)
        turned = tape.operation(x.elements, x.width, [(x.edge, size)], [cos])
        crossed = tape.operation(x.elements, x.width, [(x.edge, size)], scratch=size)
        second = tape.operation(x.elements, x.width, [(crossed.edge, size)], [sin])
        del crossed
        return self.sum(turned, second)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, lengths: Lengths, sight: Sight, share: float) -> Tensor:
        """The kernel, and its output as the next product reads it."""
        if share > 0.0 or (sight.matrix is not None and sight.matrix.edge is not None):
            return self._attend_in_full(q, k, v, lengths, sight, share)
        tape = self.tape
        q, k, v = (tape.cast(x) for x in (q, k, v)) if tape.low else (q, k, v)
        saved, matrix = [q, k, v], sight.matrix
        if matrix is not None and not sight.bias:
            matrix = tape.make(matrix.elements, q.width)
        elif matrix is not None and tape.low:
            matrix = tape.cast(matrix)
        if matrix is not None:
            saved.append(matrix)
        flows = [(x.edge, x.elements * x.width) for x in (q, k, v)]
        if not any(edge for edge, _ in flows):
            return tape.operation(q.elements, q.width, flows)
        logsumexp = 4 * lengths.rows * lengths.heads * lengths.queries
        return tape.operation(q.elements, q.width, flows, saved, saves_output=True, statistics=logsumexp)

    def _attend_in_full(self, q: Tensor, k: Tensor, v: Tensor, lengths: Lengths, sight: Sight, share: float) -> Tensor:
        # As torch's own formula does it, in float32: the scores are there, and what is saved are copies.
        tape = self.tape
        matrix = sight.matrix
        if tape.low and matrix is not None and sight.bias:
            matrix = tape.cast(matrix)
        elif matrix is not None and not sight.bias:
            matrix = tape.make(matrix.elements, q.width)
        elif sight.causal:
            matrix = tape.make(lengths.queries * lengths.keys, q.width)
        q, k, v = (tape.cast(x) for x in (q, k, v)) if tape.low else (q, k, v)
        q, k, v = (self._turned(x) for x in (q, k, v))
        wide = [tape.cast(x, 4) for x in (q, k, v)]
        heads = lengths.rows * lengths.heads
        keys = heads * lengths.keys * (q.elements // (heads * lengths.queries))
        if keys != k.elements:  # shared keys and values stand once for every head
            wide[1:] = [tape.operation(keys, 4, [(x.edge, 4 * x.elements)]) for x in wide[1:]]
        scaled_queries, scaled_keys = self.scaled(wide[0]), self.scaled(wide[1])
        left, right = self._copied(scaled_queries), self._copied(scaled_keys)
        del scaled_queries
        scores = self._product(left, right, heads * lengths.queries * lengths.keys)
        if matrix is not None:
            scores = self._with_bias(scores, matrix)
        scores = tape.operation(scores.elements, 4, [(scores.edge, 4 * scores.elements)], saves_output=True)
        weights = self.dropout(scores, share)
        rounded = tape.make(weights.elements, 2) if tape.low else None
        mixed = self._product(weights, self._copied(wide[2]), q.elements)
        narrow = tape.cast(mixed, 2) if tape.low else mixed
        del rounded, wide, scaled_keys, mixed
        return self._copied(narrow)

    def _turned(self, x: Tensor) -> Tensor:
        # A view by heads, whose gradient is copied back into the order of the projection.
        return self.tape.operation(x.elements, x.width, [(x.edge, x.elements * x.width)], view=x.storage)

    def _copied(self, x: Tensor) -> Tensor:
        return self.tape.operation(x.elements, x.width, [(x.edge, x.elements * x.width)])

    def _product(self, a: Tensor, b: Tensor, elements: int) -> Tensor:
        saved = ([b] if a.edge else []) + ([a] if b.edge else [])
        flows = [(x.edge, x.elements * x.width) for x in (a, b)]
        return self.tape.operation(elements, a.width, flows, saved)

    def _with_bias(self, scores: Tensor, matrix: Tensor) -> Tensor:
        same = matrix.elements == scores.elements and matrix.width == scores.width
        bias: Flow = (matrix.edge, None if same else 4 * matrix.elements)
        return self.tape.operation(scores.elements, 4, [(scores.edge, None), bias])

    def attention(
        self,
        name: str,
        attention: arch.Attention,
        x: Tensor,
        memory: Tensor,
        lengths: Lengths,
        sight: Sight,
        share: float,
        relation: Relation = (),
        by_distance: bool = False,
    ) -> Tensor:
        """Project, attend, join, project; keys and values are of `memory`, which may be x itself."""
        tape, kind = self.tape, self.tape.kind
        wide, narrow, bias = attention.query_dim, attention.key_value_dim, attention.qkv_bias
        q = self.linear(f"{name}.query", x, self.dim, wide, bias)
        k = self.linear(f"{name}.key", memory, self.dim, narrow, bias)
        v = self.linear(f"{name}.value", memory, self.dim, narrow, bias)
        tape.kind = kind.replace("projections", "kernel")
        if by_distance:
            q, sight = self._by_distance(name, attention, q, relation[0], lengths, sight)
        elif relation:
            q, k = self.rotate(q, relation), self.rotate(k, relation)
        mixed = self.attend(q, k, v, lengths, sight, share)
        tape.kind = kind
        return self.linear(f"{name}.output", mixed, wide, self.dim, attention.out_bias)

    def _by_distance(
        self, name: str, attention: arch.Attention, q: Tensor, waves: Tensor, lengths: Lengths, sight: Sight
    ) -> tuple[Tensor, Sight]:
        # Transformer-XL's second term, (q + v) W r, gathered by distance, as a bias of every row and head.
        tape, wide, width = self.tape, attention.query_dim, 2 if self.tape.low else 4
        scores = lengths.rows * lengths.heads * lengths.queries * lengths.keys
        if tape.low:
            waves = tape.make(waves.elements, 2)
        read = self.linear(f"{name}.distances.projection", waves, self.dim, wide, bias=False)
        content = self.weight(f"{name}.distances.content", attention.heads, 1, attention.head_dim)
        distance = self.weight(f"{name}.distances.distance", attention.heads, 1, attention.head_dim)
        moved = self._copied(tape.cast(self._moved(q, distance), width))
        every = tape.operation(lengths.rows * read.elements, width, [(read.edge, width * read.elements)])
        of_distance = self._product(moved, every, scores)
        index = tape.make(lengths.queries * lengths.keys, 8)
        flows = [(of_distance.edge, width * scores)]
        bias = self.scaled(tape.operation(scores, width, flows, [of_distance, index]))
        triangle = tape.make(lengths.queries * lengths.keys, 1) if sight.matrix is None else sight.matrix
        forbidden = tape.make(triangle.elements, 1)
        bias = tape.operation(scores, width, [(bias.edge, width * scores)], [forbidden])
        return self._moved(q, content), Sight(bias, bias=True)

    def _moved(self, q: Tensor, by: Parameter) -> Tensor:
        edge = by if by.trained else None
        flow = None if q.width == 4 else q.elements * q.width
        return self.tape.operation(q.elements, 4, [(q.edge, flow), (edge, 4 * by.elements)])

    # ---- the layer -------------------------------------------------------------------------------------------------

    def mlp(self, name: str, mlp: arch.MLP, x: Tensor, share: float) -> Tensor:
        """down(act(up(x))), or down(act(gate(x)) · up(x))."""
        self.tape.kind = "MLP"
        if mlp.gated:
            gate = self.activate(self.linear(f"{name}.gate", x, self.dim, mlp.hidden, mlp.bias), mlp.activation)
            hidden = self.times(gate, self.linear(f"{name}.up", x, self.dim, mlp.hidden, mlp.bias))
            del gate
        else:
            hidden = self.activate(self.linear(f"{name}.up", x, self.dim, mlp.hidden, mlp.bias), mlp.activation)
        return self.linear(f"{name}.down", self.dropout(hidden, share), mlp.hidden, self.dim, mlp.bias)

    def block(
        self,
        name: str,
        layer: arch.Layer,
        x: Tensor,
        lengths: Lengths,
        sight: Sight,
        relation: Relation,
        memory: Tensor | None = None,
        memory_sight: Sight | None = None,
    ) -> Tensor:
        """One layer: sublayers that each add to the hidden state, `after(x + f(before(x)))`."""
        before, after, dropout, tape = layer.norms.before, layer.norms.after, layer.dropout, self.tape
        tape.kind = "attention projections"
        by_distance = isinstance(layer.position, arch.RelativeSinusoids)
        normed = self.norm(f"{name}.before_attention", before, x)
        mixed = self.attention(
            f"{name}.attention",
            layer.attention,
            normed,
            normed,
            lengths,
            sight,
            dropout.attention,
            relation,
            by_distance,
        )
        del normed
        x = self.norm(f"{name}.after_attention", after, self._added(x, mixed, dropout.residual))
        if layer.cross_attention is not None:
            assert memory is not None
            assert memory_sight is not None
            tape.kind = "cross-attention projections"
            keys = memory.elements // self.dim // lengths.rows
            across = lengths._replace(heads=layer.cross_attention.heads, keys=keys)
            normed = self.norm(f"{name}.before_cross_attention", before, x)
            read = self.attention(
                f"{name}.cross_attention",
                layer.cross_attention,
                normed,
                memory,
                across,
                memory_sight,
                dropout.attention,
            )
            del normed
            x = self.norm(f"{name}.after_cross_attention", after, self._added(x, read, dropout.residual))
        added = self._added(
            x,
            self.mlp(f"{name}.mlp", layer.mlp, self.norm(f"{name}.before_mlp", before, x), dropout.hidden),
            dropout.residual,
        )
        return self.norm(f"{name}.after_mlp", after, added)

    def _added(self, x: Tensor, out: Tensor, share: float) -> Tensor:
        self.tape.kind = "residual stream"
        out = self.dropout(out, share)
        return self.sum(x, out)
