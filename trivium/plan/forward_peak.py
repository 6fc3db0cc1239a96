"""The temporaries of a forward pass without gradients, at their peak: one layer's at a time. No torch.

Every term is a tensor that `trivium.nn` holds at that moment: its Python names, and no more. What a kernel takes and
gives back inside itself is not counted; fused attention holds no scores.

B: rows    T: new tokens of a row    K: columns they may see    M: tokens of an encoder's memory    b: bytes of a number
D: model width    Q, G: width of all queries, of all keys    F: hidden width of the MLP    H: heads
"""

__all__ = ["Pass", "forward_peak"]

from collections.abc import Iterator
from dataclasses import dataclass

from trivium.architecture import Alibi, Attention, Layer, Position, RelativeBuckets, RelativeSinusoids, Rotary, Stack

_FLOAT, _LONG = 4, 8
#: Bytes of a pair of positions while `RelativeBuckets.bucket` works: distance, its size, both buckets, the choice.
_BUCKETING = 52


@dataclass(frozen=True)
class Pass:
    """What is read in one go: `rows` of `new` tokens after `past` ones, over `memory` tokens of an encoder.

    `number` is the bytes of a hidden number. `cached` says whether keys and values go into a cache, whose bytes are
    counted elsewhere; `padded`, whether rows differ in length, so that attention is given a matrix a row.
    `first` is a decoder's first pass over the memory, which makes the keys and values of cross-attention.
    """

    rows: int
    new: int
    past: int = 0
    memory: int = 0
    number: int = 4
    cached: bool = False
    padded: bool = False
    first: bool = True

    @property
    def tokens(self) -> int:
        """B T."""
        return self.rows * self.new

    @property
    def seen(self) -> int:
        """K."""
        return self.past + self.new

    def bytes(self, width: int) -> int:
        """Of a tensor of that many channels a token."""
        return self.tokens * width * self.number


def forward_peak(stack: Stack, dim: int, step: Pass) -> int:
    """Bytes at the worst moment of a stack's forward pass, beside weights, cache and memory."""
    hidden = step.bytes(dim)
    views = _views(stack)
    held = sum(_view_bytes(view, stack.causal, dim, step) for view in views)
    making = max(_view_making(view, stack.causal, step) - _view_bytes(view, stack.causal, dim, step) for view in views)
    added = stack.embedding.position is not None or stack.embedding.norm is not None
    embedding = hidden + (3 * hidden if added else 0)
    layers = max(2 * hidden + max(_layer_moments(layer, dim, stack.causal, step)) for layer in set(stack.pattern))
    books = _LONG * (2 * step.tokens + step.seen)  # tokens and positions of the rows, columns of the cache
    return books + held + max(hidden + making, embedding, layers)


# ---- a layer -------------------------------------------------------------------------------------------------------


def _layer_moments(layer: Layer, dim: int, causal: bool, step: Pass) -> Iterator[int]:
    """What a layer holds beside its input and the stack's, sublayer by sublayer."""
    hidden = step.bytes(dim)
    normed = hidden if layer.norms.before is not None else 0
    after = hidden if layer.norms.after is not None else 0
    held = 0  # what a sublayer gave is held until the layer ends
    for moment in _attention_moments(layer, dim, causal, step):
        yield normed + moment
    held += hidden
    yield held + hidden + after
    if layer.cross_attention is not None:
        for moment in _cross_moments(layer.cross_attention, dim, step):
            yield held + hidden + normed + moment
        held += hidden
        yield held + 2 * hidden + after
    inner = step.bytes(layer.mlp.hidden)
    yield held + hidden + normed + (3 if layer.mlp.gated else 2) * inner
    yield held + hidden + normed + inner + hidden
    yield held + hidden + hidden + hidden + after


def _attention_moments(layer: Layer, dim: int, causal: bool, step: Pass) -> Iterator[int]:
    attention, position = layer.attention, layer.position
    queries, keys = step.bytes(attention.query_dim), step.bytes(attention.key_value_dim)
    projected = queries + 2 * keys
    yield projected
    biased = 0
    if isinstance(position, Rotary):  # x·cos, the turned halves, and their product with the sine beside the old x
        cast = 2 * _angle_numbers(attention, step) * step.number if step.number != _FLOAT else 0
        yield projected + 3 * queries + cast
        yield projected + queries + 3 * keys + cast
    if isinstance(position, RelativeSinusoids):
        biased = step.rows * attention.heads * step.new * step.seen * step.number
        yield from (projected + moment for moment in _distance_moments(attention, dim, causal, step))
    kept = queries if step.cached else projected
    summed = _FLOAT * step.tokens * attention.heads  # of each query's exponentials
    yield kept + biased + queries + summed + _mask_as_numbers(layer, causal, step)
    yield kept + biased + queries + step.bytes(dim)


def _distance_moments(attention: Attention, dim: int, causal: bool, step: Pass) -> Iterator[int]:
    """Scores of the distances, Transformer-XL's: a product, then picked, scaled, and masked."""
    pairs, queries = step.new * step.seen, step.bytes(attention.query_dim)
    scores = step.rows * attention.heads * pairs * step.number
    read = step.seen * attention.query_dim * step.number
    yield read + (step.seen * dim * step.number if step.number != _FLOAT else 0)
    yield read + queries + (step.rows * read if step.rows > 1 else 0) + scores  # a broadcast operand is copied
    masked = _has_matrix(attention.window, causal, step) or step.new > 1
    yield read + queries + (4 if masked else 3) * scores + (_LONG + 2) * pairs


def _cross_moments(attention: Attention, dim: int, step: Pass) -> Iterator[int]:
    queries = step.bytes(attention.query_dim)
    made = 2 * step.rows * step.memory * attention.key_value_dim * step.number if step.first else 0
    summed = _FLOAT * step.tokens * attention.heads
    matrix = step.tokens * step.memory * step.number if step.padded else 0
    yield queries + made + queries + summed + matrix
    yield queries + made + queries + step.bytes(dim)


def _mask_as_numbers(layer: Layer, causal: bool, step: Pass) -> int:
    """A matrix of truth values becomes one of numbers inside the fused kernel's call; a bias is one already."""
    biased = isinstance(layer.position, Alibi | RelativeBuckets | RelativeSinusoids)
    if biased or not _has_matrix(layer.attention.window, causal, step):
        return 0
    return (step.rows if step.padded else 1) * step.new * step.seen * step.number


def _angle_numbers(attention: Attention, step: Pass) -> int:
    """Numbers of the cosines: with a cache, or where rows are padded, every row has its own positions."""
    return (step.rows if step.cached or step.padded else 1) * step.new * attention.head_dim


# ---- what layers share: masks, biases, angles ------------------------------------------------------------------------

_View = tuple[Position | None, Attention]


def _views(stack: Stack) -> list[_View]:
    """One of each position and window: prepared once a call and held throughout it."""
    found: dict[tuple[Position | None, int, int | None], _View] = {}
    for layer in stack.pattern:
        heads, window = (0 if layer.position is None else layer.attention.heads), layer.attention.window
        found.setdefault((layer.position, heads, window), (layer.position, layer.attention))
    return list(found.values())


def _has_matrix(window: int | None, causal: bool, step: Pass) -> bool:
    """Whether attention is told more than "causal" or nothing at all."""
    windowed = window is not None and step.seen > window
    return windowed or step.padded or (causal and step.new > 1 and step.past > 0)


def _matrix(rows: int, step: Pass) -> int:
    return rows * step.new * step.seen


def _view_bytes(view: _View, causal: bool, dim: int, step: Pass) -> int:
    """Held while the layers run."""
    position, attention = view
    rows = step.rows if step.padded else 1
    matrix = _matrix(rows, step) if _has_matrix(attention.window, causal, step) else 0
    match position:
        case Rotary():
            return matrix + 2 * _FLOAT * _angle_numbers(attention, step)
        case Alibi() | RelativeBuckets():
            return attention.heads * _matrix(rows, step) * step.number
        case RelativeSinusoids():
            return matrix + _FLOAT * step.seen * dim
        case None:
            return matrix


def _view_making(view: _View, causal: bool, step: Pass) -> int:
    """All that is there while it is made."""
    position, attention = view
    pairs = step.new * step.seen
    matrix = _has_matrix(attention.window, causal, step)
    allowed = _matrix(step.rows if step.padded else 1, step) if matrix or (causal and step.new > 1) else 0
    bias = attention.heads * pairs
    masked = attention.heads * allowed * step.number + 2 * allowed  # what is allowed, what is not, and the bias without
    told = allowed if matrix else 0  # before there is a bias
    match position:
        case Rotary():
            return told + 3 * _FLOAT * _angle_numbers(attention, step)
        case Alibi():  # distances and both signs of their product with the slopes; the bias in the model's numbers
            return max(told + 2 * _FLOAT * bias + _LONG * pairs, bias * step.number + masked)
        case RelativeBuckets():  # whole numbers of a distance's way to its bucket
            return max(
                told + _BUCKETING * pairs, told + _LONG * pairs + bias * step.number, bias * step.number + masked
            )
        case _:
            return told
