"""The memory of inference, itemised, as `trivium.decode` takes it. No torch.

    weights     bytes of the format a parameter; of int8 and int4 the layers' matrices, with a scale a block
    cache       2 · layers · key-value heads · head size · tokens · bytes; cross-attention's over the input
    source      the encoder's output, which a decoder beside it looks at
    logits      rows · vocabulary, at the last position, in float32
    reading     the temporaries of the prompts' forward pass, at their worst moment (`forward_peak`)
    writing     those of one more token a row

The peak is the larger of two moments, and never the sum of all items:

    while reading     weights + cache (a pair has none yet) + reading
    while writing     weights + cache + source + logits + writing

A window does not shrink the cache: the code keeps every column. Rows are as long as the longest, whose padding is
cached with the rest.
"""

__all__ = ["BLOCK", "SCALE_BYTES", "InferenceMemory", "Request", "inference_memory", "weight_bytes"]

from dataclasses import asdict, dataclass, replace
from typing import Any

from trivium.architecture import Architecture, Attention, Stack
from trivium.errors import UsageError
from trivium.plan.forward_peak import Pass, forward_peak
from trivium.plan.serving import BYTES, WeightFormat, cache_bytes

#: Small integers come in blocks of so many weights with one float16 scale each, as GGUF's Q8_0 and Q4_0 have them.
#: NF4 (Dettmers et al. 2023), blocks of 64 with a float32 scale, takes the same: 9/16 of a byte a weight.
BLOCK, SCALE_BYTES = 32, 2
_FLOAT, _LONG = 4, 8


@dataclass(frozen=True)
class InferenceMemory:
    """Bytes of one batch of requests, by what they are for. The process's own is not in it."""

    weights: int
    cache: int
    source: int
    logits: int
    reading: int
    writing: int
    reads_before_cache: bool

    @property
    def while_reading(self) -> int:
        """The peak until the first token is known."""
        return self.weights + (0 if self.reads_before_cache else self.cache) + self.reading

    @property
    def while_writing(self) -> int:
        """The peak of every later moment."""
        return self.weights + self.cache + self.source + self.logits + self.writing

    @property
    def total(self) -> int:
        """The peak."""
        return max(self.while_reading, self.while_writing)

    @property
    def items(self) -> dict[str, int]:
        """What stands in memory at the peak: these sum to the total."""
        if self.while_reading >= self.while_writing:
            cache = 0 if self.reads_before_cache else self.cache
            found = {"weights": self.weights, "cache": cache, "temporaries": self.reading}
        else:
            found = {
                "weights": self.weights,
                "cache": self.cache,
                "source": self.source,
                "logits": self.logits,
                "temporaries": self.writing,
            }
        return {name: size for name, size in found.items() if size}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with what follows from it."""
        follows = {"while_reading": self.while_reading, "while_writing": self.while_writing, "total": self.total}
        return {**asdict(self), **follows}


@dataclass(frozen=True)
class Request:
    """What is asked of a model at once: the arguments of `inference_memory`, as one thing that can be varied."""

    architecture: Architecture
    rows: int
    inputs: int
    outputs: int
    weights: WeightFormat = "bfloat16"
    cache_format: WeightFormat | None = None
    padded: bool = False

    def with_rows(self, rows: int) -> "Request":
        """The same with another number of rows."""
        return replace(self, rows=rows)

    @property
    def memory(self) -> InferenceMemory:
        """What it takes."""
        return inference_memory(
            self.architecture, self.rows, self.inputs, self.outputs, self.weights, self.cache_format, self.padded
        )


def inference_memory(
    architecture: Architecture,
    rows: int,
    inputs: int,
    outputs: int,
    weights: WeightFormat = "bfloat16",
    cache_format: WeightFormat | None = None,
    padded: bool = False,
) -> InferenceMemory:
    """What `rows` requests at once take, each of `inputs` tokens with `outputs` written (by an encoder: none).

    A cache is kept in `cache_format`: the weights' own, or 16 bits where those are integers, as the code has it.
    `padded`: the rows differ in length. An encoder's logits are those of one masked token a row. Raises `UsageError`
    for numbers below 1 and for text beyond the positions that the model has.
    """
    _check(architecture, rows, inputs, outputs)
    number = round(max(2.0, BYTES[weights]))
    read = Pass(rows, inputs, number=number, cached=architecture.kind == "decoder", padded=padded)
    if architecture.decoder is None:
        found = _of_encoder(architecture, read)
    else:
        kept = number if cache_format is None else BYTES[cache_format]
        found = _of_writer(architecture, architecture.decoder, read, outputs, kept)
    scratch = _dequantised_bytes(architecture, weights)
    return replace(
        found,
        weights=weight_bytes(architecture, weights),
        reading=found.reading + scratch,
        writing=found.writing + scratch,
    )


def _of_encoder(architecture: Architecture, read: Pass) -> InferenceMemory:
    """Without the weights. What is said is a softmax over the vocabulary for one masked token a row."""
    assert architecture.encoder is not None
    vocabulary = 0 if architecture.head is None else read.rows * architecture.vocab
    return InferenceMemory(
        weights=0,
        cache=0,
        source=read.bytes(architecture.dim),
        logits=_FLOAT * vocabulary,
        reading=forward_peak(architecture.encoder, architecture.dim, read),
        writing=_FLOAT * vocabulary,
        reads_before_cache=True,
    )


def _of_writer(
    architecture: Architecture, decoder: Stack, read: Pass, outputs: int, number_kept: float | int
) -> InferenceMemory:
    """Without the weights. A pair's decoder begins with a token of its own."""
    rows, dim, pair = read.rows, architecture.dim, architecture.encoder is not None
    written = 1 + outputs if pair else outputs
    columns = written if pair else read.new + written
    vocabulary = 0 if architecture.head is None else rows * architecture.vocab
    cast = vocabulary * read.number if read.number != _FLOAT else 0  # logits before they are float32
    one = replace(read, new=1, memory=read.new if pair else 0, cached=True)
    if outputs > 1:  # the old logits are there while the new ones come
        later = replace(one, past=columns - 1, first=False)
        writing = max(forward_peak(decoder, dim, later), _FLOAT * vocabulary + cast)
    else:  # the first ones meet their own softmax alone
        writing = max(_FLOAT * vocabulary, cast)
    if pair:
        writing = max(writing, forward_peak(decoder, dim, one) - _FLOAT * vocabulary)
    documents, said = _LONG * rows * columns, 2 * _LONG * rows * columns  # of the cache; the tokens so far, twice
    return InferenceMemory(
        weights=0,
        cache=rows * cache_bytes(architecture, read.new, written, number_kept),
        source=read.bytes(dim) if pair else 0,
        logits=_FLOAT * vocabulary,
        reading=forward_peak(architecture.stacks[0], dim, read) + (0 if pair else documents),
        writing=writing + documents + said,
        reads_before_cache=pair,
    )


def weight_bytes(architecture: Architecture, weights: WeightFormat) -> int:
    """All weights in that format; where it is a small integer, tables, vectors and heads stay in 16 bits."""
    if BYTES[weights] >= 2:
        return round(architecture.parameters * BYTES[weights])
    matrices = sum(_matrices(stack, architecture.dim) for stack in architecture.stacks)
    scales = SCALE_BYTES * matrices / BLOCK
    return round(matrices * BYTES[weights] + scales + 2 * (architecture.parameters - matrices))


def _matrices(stack: Stack, dim: int) -> int:
    """Numbers in the linear layers of a stack."""
    return sum(
        sum(_attention_matrices(found, dim) for found in (layer.attention, layer.cross_attention) if found)
        + (3 if layer.mlp.gated else 2) * dim * layer.mlp.hidden
        for layer in stack.layers
    )


def _attention_matrices(attention: Attention, dim: int) -> int:
    return 2 * dim * (attention.query_dim + attention.key_value_dim)


def _dequantised_bytes(architecture: Architecture, weights: WeightFormat) -> int:
    """The largest matrix in 16 bits: it is unpacked for its product, and dropped."""
    if BYTES[weights] >= 2:
        return 0
    widest = max(
        max(layer.mlp.hidden, layer.attention.query_dim) for stack in architecture.stacks for layer in stack.pattern
    )
    return 2 * architecture.dim * widest


def _check(architecture: Architecture, rows: int, inputs: int, outputs: int) -> None:
    for what, value, least in (("rows", rows, 1), ("inputs", inputs, 1), ("outputs", outputs, 0)):
        if value < least:
            raise UsageError(f"Inference needs {what} of at least {least}, got {value}.")
    longest = architecture.context
    needed = inputs + outputs if architecture.kind == "decoder" else inputs
    if longest is not None and needed > longest:
        raise UsageError(
            f"The requests take {needed:,} positions, and this model has {longest:,}. Shorten what is read or written, "
            "or take a model with more positions."
        )
