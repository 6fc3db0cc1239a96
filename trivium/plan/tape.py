"""A step's tensors as sizes: what is alive when, as torch's automatic differentiation has it. No torch, no content.

An operation makes a tensor, keeps for its backward pass what that will read (`saved`), and is written on a tape. The
backward pass takes the tape from its end: an operation's gradient comes in, those of its inputs are made, and what it
had saved is freed. A tensor's bytes count from the moment it is made until nothing refers to it any more: a `Storage`
takes them when it is created and gives them back when Python drops it, as torch does.
"""

__all__ = ["Flow", "Ledger", "Parameter", "Storage", "Tape", "Tensor"]

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Ledger:
    """Bytes that are alive, by what they are for, and for each phase of the step the most there were."""

    def __init__(self) -> None:
        self.alive: Counter[str] = Counter()
        self.total = 0
        self._phase = ""
        self._peaks: dict[str, tuple[int, dict[str, int]]] = {}
        self._highest = 0

    @property
    def phase(self) -> str:
        """The phase that the step is in."""
        return self._phase

    def enter(self, phase: str) -> None:
        """Begin a phase, or go on with it."""
        if phase != self._phase:
            self._mark()
            self._phase, self._highest = phase, self._peaks.get(phase, (0, {}))[0]

    @property
    def peaks(self) -> dict[str, tuple[int, dict[str, int]]]:
        """Each phase's highest total, and what stood there."""
        self._mark()
        return self._peaks

    def take(self, kind: str, size: int) -> None:
        """More bytes of a kind."""
        self.alive[kind] += size
        self.total += size

    def give(self, kind: str, size: int) -> None:
        """Fewer bytes of a kind. What was there before may have been the most."""
        if self.total > self._highest:
            self._mark()
        self.alive[kind] -= size
        self.total -= size

    def _mark(self) -> None:
        if self.total > self._highest:
            self._highest = self.total
            self._peaks[self._phase] = self.total, dict(self.alive)


class Storage:
    """Memory of a tensor and of its views, for as long as one of them is there."""

    __slots__ = ("kind", "ledger", "size")

    def __init__(self, ledger: Ledger, kind: str, size: int) -> None:
        self.ledger, self.kind, self.size = ledger, kind, size
        ledger.take(kind, size)

    def __del__(self) -> None:
        self.ledger.give(self.kind, self.size)


class _Edge:
    """Where the gradient of a tensor is gathered until all of it has come."""

    __slots__ = ("gradient",)

    def __init__(self) -> None:
        self.gradient: Storage | None = None

    def add(self, part: Storage) -> None:
        """One part more; the sum of two is a new tensor."""
        self.gradient = part if self.gradient is None else Storage(part.ledger, part.kind, part.size)


class Parameter(_Edge):
    """A weight: its numbers, whether it is trained, and how often this pass has used it.

    With `accumulates` it has a gradient from an earlier micro-batch, to which a new one is added in place.
    """

    __slots__ = ("accumulates", "arrived", "elements", "shape", "trained", "uses")

    def __init__(self, shape: tuple[int, ...], trained: bool, accumulates: bool) -> None:
        super().__init__()
        self.shape, self.trained, self.accumulates = shape, trained, accumulates
        self.elements = 1
        for length in shape:
            self.elements *= length
        self.uses = self.arrived = 0

    def add(self, part: Storage) -> None:
        """The gradient of one use; those of a shared weight wait for each other, and their sum is kept."""
        super().add(part)
        self.arrived += 1
        if self.arrived == self.uses:
            whole = self.gradient
            assert whole is not None
            if self.accumulates:
                self.gradient = None
            else:
                whole.ledger.give(whole.kind, whole.size)
                whole.kind = "gradients"
                whole.ledger.take(whole.kind, whole.size)


class Tensor(NamedTuple):
    """Numbers of `width` bytes each; `edge` is where its gradient goes, or None where none is wanted."""

    elements: int
    width: int
    storage: Storage | None
    edge: _Edge | None


#: An input's edge, and the size of the gradient made for it (None where the incoming gradient itself is passed on).
Flow = tuple[_Edge | None, int | None]


class _Node(NamedTuple):
    out: _Edge
    flows: tuple[Flow, ...]
    saved: tuple[Storage | None, ...]
    scratch: int
    phase: str
    again: "_Recomputed | None" = None


class _Recomputed:
    """Operations that are run again: their edges in order, how many save something, and those after the last such."""

    __slots__ = ("body", "edges", "saving", "trailing")

    def __init__(self, body: Callable[[], Tensor]) -> None:
        self.body = body
        self.edges: list[_Edge] = []
        self.saving = 0
        self.trailing: list[_Node] = []


class _AllIsThere(Exception):  # noqa: N818 - no error: it ends a recomputation that has made all that was saved
    pass


class Tape:
    """Writes operations down and runs them backwards. `low` is automatic mixed precision: products in 2 bytes."""

    def __init__(self, low: bool = False) -> None:
        self.ledger = Ledger()
        self.low = low
        self.kind = ""
        self.casts: dict[int, Tensor] = {}
        self._nodes: list[_Node] = []
        self._edges: list[_Edge] = []
        self._again_later: _Recomputed | None = None
        self._left: int | None = None  # operations until a recomputation has made all that was saved

    def make(self, elements: int, width: int = 4, kind: str | None = None) -> Tensor:
        """A tensor that no gradient flows to."""
        return Tensor(elements, width, Storage(self.ledger, kind or self.kind, elements * width), None)

    def scratch(self, size: int) -> None:
        """Bytes that an operation of the forward pass takes and gives back."""
        self.ledger.take(self.kind, size)
        self.ledger.give(self.kind, size)

    def operation(
        self,
        elements: int,
        width: int,
        flows: Sequence[Flow],
        saved: Sequence[Tensor] = (),
        saves_output: bool = False,
        statistics: int = 0,
        scratch: int = 0,
        view: Storage | None = None,
    ) -> Tensor:
        """Make a tensor of inputs whose gradients flow as `flows` say.

        `saved` is kept for the backward pass (with `saves_output` the result too, and `statistics` bytes that nothing
        else sees), in which `scratch` bytes are taken besides the gradients. `view` is memory it shares with an input.
        """
        wanted = tuple(flow for flow in flows if flow[0] is not None)
        edge = _Edge() if wanted else None
        saves = edge is not None and bool(saved or saves_output or statistics)
        if saves and self._left == 1 and not (saves_output or statistics):
            self._write(edge, wanted, tuple(tensor.storage for tensor in saved), scratch)
            raise _AllIsThere
        made = view or Storage(self.ledger, self.kind, elements * width)
        if edge is not None:
            kept = Storage(self.ledger, self.kind, statistics) if statistics else None
            held = (*(tensor.storage for tensor in saved), kept, made if saves_output else None)
            self._write(edge, wanted, held if saves else (), scratch)
            if saves and self._left is not None:
                self._left -= 1
                if self._left == 0:
                    raise _AllIsThere
        return Tensor(elements, width, made, edge)

    def _write(
        self, edge: _Edge | None, flows: tuple[Flow, ...], saved: tuple[Storage | None, ...], scratch: int
    ) -> None:
        assert edge is not None
        again = self._again_later
        if again is not None:  # what it saves is dropped, and made again when it is asked for
            again.edges.append(edge)
            if saved:
                again.saving += 1
                again.trailing = []
            else:
                again.trailing.append(_Node(edge, flows, (), scratch, self.ledger.phase))
            return
        self._edges.append(edge)
        for target, _ in flows:
            if isinstance(target, Parameter):
                target.uses += 1
        self._nodes.append(_Node(edge, flows, saved, scratch, self.ledger.phase))

    def weight(self, parameter: Parameter) -> Tensor:
        """A weight as an operation reads it: itself, or its copy in 2 bytes, which is shared if it is trained."""
        edge = parameter if parameter.trained else None
        if not self.low:
            return Tensor(parameter.elements, 4, None, edge)
        found = self.casts.get(id(parameter))
        if found is not None:
            return found
        kind, self.kind = self.kind, "copies of weights"
        copy = self.operation(parameter.elements, 2, [(edge, 4 * parameter.elements)])
        self.kind = kind
        if parameter.trained:
            self.casts[id(parameter)] = copy
        return copy

    def cast(self, x: Tensor, width: int = 2) -> Tensor:
        """In `width` bytes a number; nothing where it is already so."""
        return x if x.width == width else self.operation(x.elements, width, [(x.edge, x.elements * x.width)])

    def linear(self, x: Tensor, weight: Parameter, bias: Parameter | None = None) -> Tensor:
        """W x + b: saves x for the gradient of W, and W for that of x."""
        outputs, inputs = weight.shape
        b = None if bias is None else self.weight(bias)
        w = self.weight(weight)
        x = self.cast(x) if self.low else x
        saved = ([x] if w.edge else []) + ([w] if x.edge else [])
        flows = [(x.edge, x.elements * x.width), (w.edge, w.elements * w.width)]
        if b is not None:
            flows.append((b.edge, b.elements * b.width))
        return self.operation(x.elements // inputs * outputs, x.width, flows, saved)

    def recomputed(self, body: Callable[[], Tensor], inputs: Sequence[Tensor]) -> Tensor:
        """Activation checkpointing: run `body` and keep its inputs alone; in the backward pass run it again.

        Again it runs when something that it saved is first asked for, and until all of that is there: operations at
        its end that save nothing go backwards before.
        """
        again = self._again_later = _Recomputed(body)
        out = body()
        self._again_later = None
        if out.edge is not None:
            held = tuple(tensor.storage for tensor in inputs)
            self._nodes.append(_Node(out.edge, (), held, 0, self.ledger.phase, again))
        return out

    def end_of_autocast(self) -> None:
        """Copies of weights that nothing has saved are given back."""
        self.casts = {}

    def seed(self, x: Tensor) -> None:
        """Begin the backward pass at x, whose gradient stands in x's own memory."""
        if x.edge is not None:
            x.edge.gradient = x.storage

    def backward(self) -> None:
        """Everything backwards."""
        self._backward("")

    def _backward(self, phase: str) -> None:
        while self._nodes:
            node = self._nodes.pop()
            gradient, node.out.gradient = node.out.gradient, None
            if gradient is None:
                continue
            self.ledger.enter(phase or f"backward pass: {node.phase.partition(': ')[2]}")
            if node.again is not None:
                node.out.gradient = gradient
                del gradient
                self._run_again(node.again)
                continue
            parts = self._gradients(node, gradient)
            flows = node.flows
            del node, gradient
            for edge, _ in flows:
                assert edge is not None
                edge.add(parts.pop(0))

    def _gradients(self, node: _Node, gradient: Storage) -> list[Storage]:
        kind = "gradients of activations"
        parts = [gradient if size is None else Storage(self.ledger, kind, size) for _, size in node.flows]
        if node.scratch:
            self.ledger.take(kind, node.scratch)
            self.ledger.give(kind, node.scratch)
        return parts

    def _run_again(self, again: _Recomputed) -> None:
        nodes, casts, edges = self._nodes, self.casts, self._edges
        self._nodes = again.trailing
        self._backward(self.ledger.phase)
        self._nodes, self.casts, self._edges, self._left = [], {}, [], again.saving
        with contextlib.suppress(_AllIsThere):
            again.body()
        self._left = None
        for before, now in zip(again.edges, self._edges, strict=False):
            before.gradient, now.gradient = None, before.gradient
        self.casts, self._edges = casts, edges
        self._backward(self.ledger.phase)
        self._nodes = nodes
