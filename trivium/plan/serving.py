"""The memory and the time of one request, computed from the architecture. No torch.

L: layers    n_kv, d: key-value heads and their channels    I, O: tokens read and written    b: bytes of a number

weights      b · parameters, and a fifth more for what programs keep beside them (EleutherAI, Transformer Math 101)
cache        2 · L · n_kv · d · (I + O) · b; of an encoder-decoder, over O, and as much again over I for cross-attention
reading      FLOPs of the input / (peak · 40 %), but no faster than the weights are read once
a token      (weights of the writing part + cache) / bandwidth, but no faster than its FLOPs / (peak · 40 %)

An encoder answers when it has read. The writing part of an encoder-decoder is its decoder: half of the weights.
"""

__all__ = [
    "BYTES",
    "COMPUTE_SHARE",
    "FORMULAS",
    "WEIGHTS_FACTOR",
    "Serving",
    "WeightFormat",
    "cache_bytes",
    "peak_of",
    "rule_flops",
    "serving",
]

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from trivium.architecture import Architecture
from trivium.plan.devices import Device

WeightFormat = Literal["float32", "bfloat16", "float16", "int8", "int4"]

#: Bytes of a weight.
BYTES: dict[WeightFormat, float] = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "int4": 0.5}
#: What inference takes of memory, as a multiple of the weights.
WEIGHTS_FACTOR = 1.2
#: The share of the peak that matrix products reach; published training runs reach 24 to 48 %.
COMPUTE_SHARE = 0.4

#: The formulas in a person's words, in the order in which they are shown.
FORMULAS: dict[str, str] = {
    "memory": f"{WEIGHTS_FACTOR} x parameters x bytes + cache",
    "cache": "2 x layers x key-value heads x head size x tokens x bytes; cross-attention keeps the input's once",
    "reading": f"max(FLOPs of the input / ({COMPUTE_SHARE:.0%} of peak), weights / bandwidth)",
    "each token": "max((weights of the writing part + cache) / bandwidth, its FLOPs / (40% of peak))",
    "request": "reading + tokens written x each token",
}


@dataclass(frozen=True)
class Serving:
    """One request of one model: bytes, seconds, FLOPs. Seconds are None where no device is named.

    `token_seconds` is None, too, where nothing is written: an encoder's.
    """

    weight_bytes: int
    cache_bytes: int
    memory_bytes: int
    flops: float
    read_seconds: float | None
    token_seconds: float | None
    request_seconds: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


def cache_bytes(architecture: Architecture, inputs: int, outputs: int, number_bytes: float | int = 2) -> int:
    """Bytes of keys and values once all is read and written. Keys and values of a window's past are counted, too."""
    decoder = architecture.decoder
    if decoder is None:
        return 0
    own = inputs + outputs if architecture.encoder is None else outputs
    numbers = sum(2 * layer.attention.key_value_dim * own for layer in decoder.layers)
    crossed = sum(2 * layer.cross_attention.key_value_dim for layer in decoder.layers if layer.cross_attention)
    return round((numbers + crossed * inputs) * number_bytes)


def serving(
    architecture: Architecture, inputs: int, outputs: int, weights: WeightFormat, device: Device | None = None
) -> Serving:
    """What one request of `inputs` tokens takes, with `outputs` written (none by an encoder)."""
    written = outputs if architecture.decoder is not None else 0
    size = BYTES[weights]
    number = max(size, 2.0)  # whatever the weights are, keys and values are kept in 16 bits at least
    work = _work(architecture, inputs, written)
    weight_bytes, kept = round(work.parameters * size), round(work.cache_numbers * number)
    read = token = request = None
    if device is not None:
        peak = COMPUTE_SHARE * peak_of(device, weights)
        read = max(work.read_flops / peak, work.read_parameters * size / device.bandwidth)
        request = read
        if written:
            token = max((work.spoken_parameters * size + kept) / device.bandwidth, work.token_flops / peak)
            request = read + written * token
    return Serving(
        weight_bytes=weight_bytes,
        cache_bytes=kept,
        memory_bytes=round(WEIGHTS_FACTOR * weight_bytes) + kept,
        flops=float(work.read_flops + written * work.token_flops),
        read_seconds=read,
        token_seconds=token,
        request_seconds=request,
    )


@dataclass(frozen=True)
class _Work:
    """What a request is made of, in numbers and operations: the same on every device and in every format."""

    parameters: int
    cache_numbers: int
    read_parameters: int
    read_flops: int
    spoken_parameters: int
    token_flops: int


@cache
def _work(architecture: Architecture, inputs: int, written: int) -> _Work:
    return _Work(
        parameters=architecture.parameters,
        cache_numbers=cache_bytes(architecture, inputs, written, 1),
        read_parameters=_read_parameters(architecture),
        read_flops=_read_flops(architecture, inputs),
        spoken_parameters=_spoken_parameters(architecture),
        token_flops=_token_flops(architecture, inputs, written),
    )


@cache
def rule_flops(architecture: Architecture, inputs: int, outputs: int) -> int:
    """Training on such a request by the rule 6 N (I + O), of an encoder-decoder 6 (N_enc I + N_dec O); N of stacks.

    Hence an encoder-decoder of 2N costs what a decoder of N does where as much is written as is read.
    """
    sizes = [stack.parameters(architecture.dim) for stack in architecture.stacks]
    match architecture.kind:
        case "encoder":
            return 6 * sizes[0] * inputs
        case "decoder":
            return 6 * sizes[0] * (inputs + outputs)
        case "encoder-decoder":
            return 6 * (sizes[0] * inputs + sizes[1] * outputs)


def peak_of(device: Device, weights: WeightFormat) -> float:
    """FLOP/s of products with such weights: small integers are multiplied as 16-bit numbers."""
    formats = device.flops_per_second
    wanted = (weights,) if weights in ("float32", "bfloat16", "float16") else (device.half_format,)
    return next(formats[name] for name in (*wanted, "float32", device.half_format) if name in formats)


def _spoken_parameters(architecture: Architecture) -> int:
    """Those that are read for every written token: of the writing stack and the head, but no table of vectors."""
    stack, dim = architecture.output_stack, architecture.dim
    vocabulary = dim * architecture.vocab if architecture.head is not None and architecture.head.tied else 0
    head = 0 if architecture.head is None else architecture.head.parameters(dim, architecture.vocab)
    return stack.parameters(dim) + head + vocabulary - _crossed_parameters(architecture)


def _crossed_parameters(architecture: Architecture) -> int:
    """The projections of cross-attention that meet the input, once a request."""
    layers = architecture.output_stack.layers
    return sum(2 * architecture.dim * x.cross_attention.key_value_dim for x in layers if x.cross_attention)


def _read_parameters(architecture: Architecture) -> int:
    """Those that are read once for the input, however long it is."""
    return architecture.stacks[0].parameters(architecture.dim) + _crossed_parameters(architecture)


def _read_flops(architecture: Architecture, inputs: int) -> int:
    reading = architecture.stacks[0].flops(architecture.dim, inputs)
    first = 0
    if architecture.kind == "decoder" and architecture.head is not None:  # reading ends with the first token's logits
        first = architecture.head.flops(architecture.dim, architecture.vocab, 1)
    return reading + 2 * inputs * _crossed_parameters(architecture) + first


def _token_flops(architecture: Architecture, inputs: int, written: int) -> int:
    """Of the last token written, which sees all before it."""
    if architecture.decoder is None:
        return 0
    own = inputs + written if architecture.encoder is None else written
    seen = sum(
        layer.attention.query_dim * own + (layer.cross_attention.query_dim * inputs if layer.cross_attention else 0)
        for layer in architecture.decoder.layers
    )
    return 2 * _spoken_parameters(architecture) + 4 * seen
