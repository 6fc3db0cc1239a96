"""One micro-batch forwards and backwards, in bytes: stacks, head and loss of a `Workload` on a tape. No torch.

The order is that of `trivium.model.Stack.forward`, `trivium.train.loss.head_loss` and `take_step`.

Letters: B rows, T tokens, D channels, V vocabulary, N positions with a target.
"""

__all__ = ["run_passes"]

from collections.abc import Sequence

from trivium import architecture as arch
from trivium.plan.activations import Lengths, Parts, Relation, Sight
from trivium.plan.tape import Parameter, Tape, Tensor
from trivium.plan.workload import Workload

#: Logits that the loss works on at a time, on a CPU (`trivium.train.loss`).
_LOSS_BLOCK = 2**20


def run_passes(work: Workload, periods: Sequence[int]) -> tuple[Tape, Parts]:
    """Run a micro-batch with every stack's pattern repeated `periods` times (the encoder's first)."""
    architecture, tape = work.architecture, Tape(low=work.precision == "bfloat16")
    parts = Parts(tape, architecture.dim, work.lora, accumulates=work.accumulation > 1)
    tape.kind = "embedding"
    table = parts.weight("tokens.weight", architecture.vocab, architecture.dim)
    tape.ledger.enter("forward pass: embedding")
    batch = _of_the_batch(work, tape)
    if architecture.encoder is not None and architecture.decoder is not None:
        encoder, decoder = (_Pass(parts, work, name) for name in ("encoder", "decoder"))
        memory = encoder.stack(architecture.encoder, _look_up(parts, work.rows * work.inputs, table), periods[0])
        hidden = decoder.stack(
            architecture.decoder, _look_up(parts, work.rows * work.written, table), periods[1], memory
        )
        del memory
    else:
        name = "encoder" if architecture.decoder is None else "decoder"
        one = _Pass(parts, work, name)
        hidden = one.stack(architecture.output_stack, _look_up(parts, work.rows * work.inputs, table), periods[0])
    logits, hidden_and_places = _head(parts, work, table, hidden)
    del hidden
    _loss(tape, work, logits)
    del hidden_and_places
    tape.end_of_autocast()
    tape.seed(logits)
    del logits
    tape.backward()
    del batch
    return tape, parts


def _of_the_batch(work: Workload, tape: Tape) -> list[Tensor]:
    # The batch itself belongs to who made it; what operations look at is counted: targets, and document numbers.
    # Three numbers belong to the loss: its sum so far, itself, and its gradient.
    kept = [tape.make(3, 4, "logits and loss"), tape.make(work.rows * work.written, 8, "masks and positions")]
    if work.masked:
        kept.append(tape.make(work.rows * work.inputs, 8, "masks and positions"))
        if work.architecture.kind == "encoder-decoder":
            kept.append(tape.make(work.rows * work.written, 8, "masks and positions"))
    return kept


def _look_up(parts: Parts, tokens: int, table: Parameter, saved: Sequence[Tensor] = ()) -> Tensor:
    rows, dim = table.shape
    edge = table if table.trained else None
    return parts.tape.operation(tokens * dim, 4, [(edge, 4 * rows * dim)], saved)


def _head(parts: Parts, work: Workload, table: Parameter, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
    tape, head, dim = parts.tape, work.architecture.head, work.architecture.dim
    tape.ledger.enter("forward pass: head and loss")
    tape.kind = "head"
    positions = work.rows * work.written
    spoken = min(work.head_positions, positions)
    places = tape.make(spoken, 8, "masks and positions")
    kept = [hidden, places]
    x = hidden
    if spoken < positions:
        kept.append(tape.make(spoken, 8, "masks and positions"))
        x = tape.operation(spoken * dim, 4, [(x.edge, x.elements * x.width)], [places], scratch=x.elements * x.width)
    if head is None:
        return x, kept
    if head.transform is not None:
        x = parts.activate(parts.linear("head.transform", x, dim, dim, bias=True), head.transform)
    x = parts.norm("head.norm", head.norm, x)
    if head.scale != 1.0:
        x = parts.scaled(x)
    tape.kind = "logits and loss"
    if head.tied:
        parts.weights.setdefault("head.projection.weight", table)
    logits = parts.linear("head.projection", x, dim, work.architecture.vocab, head.bias)
    return logits, kept


def _loss(tape: Tape, work: Workload, logits: Tensor) -> None:
    # In place, block by block: a block in float32 where the logits are not, and while the next is made also the last.
    vocab, positions = work.architecture.vocab, logits.elements // max(1, work.architecture.vocab)
    block = min(positions, max(1, _LOSS_BLOCK // vocab))
    works = 0 if logits.width == 4 else block * vocab * (2 if block < positions else 1)
    tape.scratch(4 * (works + 4 * block))


class _Pass:
    """One stack forwards."""

    def __init__(self, parts: Parts, work: Workload, name: str) -> None:
        self.parts, self.work, self.name = parts, work, name

    def stack(self, stack: arch.Stack, tokens: Tensor, periods: int, memory: Tensor | None = None) -> Tensor:
        """Hidden states after the last norm."""
        parts, work, tape, name = self.parts, self.work, self.parts.tape, self.name
        rows, length = work.rows, tokens.elements // parts.dim // work.rows
        tape.ledger.enter(f"forward pass: {name}, embedding")
        tape.kind = "masks and positions"
        columns = tape.make((rows if work.masked else 1) * length, 8), tape.make(length, 8)
        memory_sight = None
        if memory is not None:
            matrix = tape.make(rows * length * work.inputs, 1) if work.masked else None
            memory_sight = Sight(matrix)
        shared = stack.positions
        keys = [
            (
                None if layer.position is None else shared.index((layer.position, layer.attention.heads)),
                layer.attention.window,
            )
            for layer in stack.pattern
        ]
        views = {key: self._view(stack, key, length) for key in dict.fromkeys(keys)}
        x = self._embed(stack.embedding, tokens, length)
        del columns
        count = len(stack.pattern)
        for index in range(periods * count):
            layer, period = stack.pattern[index % count], index // count
            place = "top layer" if period == periods - 1 else "bottom layer" if period == 0 else "layers between"
            tape.ledger.enter(f"forward pass: {name}, {place}")
            sight, relation = views[keys[index % count]]
            x = self._layer(f"{name}.layers.{index}", layer, x, length, sight, relation, memory, memory_sight)
        tape.ledger.enter(f"forward pass: {name}, last norm")
        x = parts.norm(f"{name}.final_norm", stack.final_norm, x)
        return parts.dropout(x, stack.final_dropout)

    def _layer(
        self,
        name: str,
        layer: arch.Layer,
        x: Tensor,
        length: int,
        sight: Sight,
        relation: Relation,
        memory: Tensor | None,
        memory_sight: Sight | None,
    ) -> Tensor:
        parts, lengths = self.parts, Lengths(self.work.rows, layer.attention.heads, length, length)

        def block() -> Tensor:
            return parts.block(name, layer, x, lengths, sight, relation, memory, memory_sight)

        if not self.work.activation_checkpointing:
            return block()
        told = [sight.matrix, memory, None if memory_sight is None else memory_sight.matrix, *relation]
        return parts.tape.recomputed(block, [x, *(tensor for tensor in told if tensor is not None)])

    def _embed(self, embedding: arch.Embedding, x: Tensor, length: int) -> Tensor:
        parts, tape, dim, rows = self.parts, self.parts.tape, self.parts.dim, self.work.rows
        tape.kind = "embedding"
        if embedding.scale != 1.0:
            x = parts.scaled(x)
        found = (rows if self.work.masked else 1) * length
        match embedding.position:
            case arch.Learned(positions, offset):
                places = tape.make(found, 8, "masks and positions")
                table = parts.weight(f"{self.name}.embedding.positions", positions + offset, dim)
                x = parts.sum(x, _look_up(parts, found, table, [places]))
                del places
            case arch.Sinusoidal():
                x = parts.sum(x, tape.make(found * dim, 4))
        if embedding.segments:
            table = parts.weight(f"{self.name}.embedding.segments", embedding.segments, dim)
            first = tape.operation(dim, 4, [(table if table.trained else None, 4 * table.elements)])
            x = parts.sum(x, first)
        x = parts.norm(f"{self.name}.embedding.norm", embedding.norm, x)
        return parts.dropout(x, embedding.dropout)

    def _view(self, stack: arch.Stack, key: tuple[int | None, int | None], length: int) -> tuple[Sight, Relation]:
        parts, tape, work = self.parts, self.parts.tape, self.work
        shared, window = key
        rows = work.rows if work.masked else 1
        windowed = window is not None and length > window
        tape.kind = "masks and positions"
        sight = Sight(causal=stack.causal)
        if work.masked or windowed:
            sight = Sight(tape.make(rows * length**2, 1))
            tape.scratch((rows + 1) * length**2)
        if shared is None:
            return sight, ()
        position, heads = stack.positions[shared]
        match position:
            case arch.Rotary():
                size = next(layer.attention.head_dim for layer in stack.pattern if layer.position == position)
                return sight, (tape.make(rows * length * size), tape.make(rows * length * size))
            case arch.RelativeSinusoids():
                return sight, (tape.make(length * parts.dim),)
            case arch.Alibi():
                tape.scratch(16 * length**2)
                bias = tape.make(heads * length**2)
            case arch.RelativeBuckets():
                tape.scratch(44 * length**2)
                table = parts.weight(f"{self.name}.positions.{shared}.table", position.buckets, heads)
                bias = _biases(parts, table, length, heads)
        if sight.matrix is None and not stack.causal:
            return Sight(bias, bias=True), ()
        allowed = length**2 if sight.matrix is None else sight.matrix.elements
        forbidden = tape.make(allowed, 1)
        flows = [(bias.edge, 4 * rows * heads * length**2)]
        return Sight(tape.operation(rows * heads * length**2, 4, flows, [forbidden]), bias=True), ()


def _biases(parts: Parts, table: Parameter, length: int, heads: int) -> Tensor:
    # One bias a head and pair of columns, from the bucket of their distance.
    tape = parts.tape
    buckets = tape.make(length**2, 8)
    edge = table if table.trained else None
    return tape.operation(heads * length**2, 4, [(edge, 4 * table.elements)], [buckets])
