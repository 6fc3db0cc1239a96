"""Ways to need less memory, the cheapest for the user first. Each is a change that is then computed. No torch."""

__all__ = ["Way", "inference_ways", "longest_inputs", "training_ways", "with_inputs"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from trivium.adapt.lora import Lora
from trivium.architecture import Architecture, Stack
from trivium.plan.inference import Request
from trivium.plan.margins import Room
from trivium.plan.workload import Workload

_S = TypeVar("_S", Workload, Request)

#: How many devices are tried.
_RANKS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
#: The longest text that is tried where positions set no limit.
_LONGEST = 1_048_576


@dataclass(frozen=True)
class Way(Generic[_S]):
    """A change. `change` gives the least of it that surely fits, or else the most of it, with what it is in words.

    It gives None where there is nothing left to change. `gives_up` says that another thing is trained or answered then.
    """

    name: str
    cost: str
    change: Callable[[_S, Room[_S]], tuple[_S, str] | None]
    gives_up: bool = False


def training_ways(adapting: bool = False) -> Sequence[Way[Workload]]:
    """Of a step of training. Low-rank updates stand in for all weights only where a finished model is adapted."""
    return (
        Way("accumulation", "the same step, in more and smaller products", _accumulate),
        Way("activation-checkpointing", "a third more operations", _checkpoint),
        Way("bfloat16", "products lose digits; new devices are faster with it", _halve),
        Way("lora", "only to adapt a finished model: its own weights stand still", _adapt, gives_up=not adapting),
        Way("sharding", "more devices, and traffic between them", _shard),
        Way("shorter-context", "rows are cut", _shorten, gives_up=True),
        Way("smaller-model", "another model, with a higher loss", _shrink, gives_up=True),
    )


def inference_ways() -> Sequence[Way[Request]]:
    """Of answering requests."""
    return (
        Way("fewer-rows", "the same answers, one after another", _fewer_rows),
        Way("16-bit-weights", "hardly any", lambda asked, room: _weights(asked, "bfloat16")),
        Way("8-bit-cache", "keys and values lose digits; not in this code", _small_cache),
        Way("8-bit-weights", "a little quality; not in this code", lambda asked, room: _weights(asked, "int8")),
        Way("4-bit-weights", "some quality; not in this code", lambda asked, room: _weights(asked, "int4")),
        Way("shorter-context", "texts are cut", _shorten, gives_up=True),
        Way("smaller-model", "another model, with a higher loss", _shrink, gives_up=True),
    )


def with_inputs(subject: _S, inputs: int) -> _S:
    """The same with rows of so many tokens; targets grow with them."""
    if isinstance(subject, Request) or subject.targets is None:
        return replace(subject, inputs=inputs)
    alone = subject.architecture.kind != "encoder-decoder"  # a pair's targets are what it writes
    targets = max(1, round(subject.targets * inputs / subject.inputs)) if alone else subject.targets
    return replace(subject, inputs=inputs, targets=targets)


def longest_inputs(subject: Workload | Request) -> int:
    """How long rows may be as far as positions go."""
    context = subject.architecture.context
    if context is None:
        return _LONGEST
    written = subject.outputs if isinstance(subject, Request) and subject.architecture.kind == "decoder" else 0
    return context - (written or 0)


# ---- training ------------------------------------------------------------------------------------------------------


def _accumulate(work: Workload, room: Room[Workload]) -> tuple[Workload, str] | None:
    if work.rows == 1:
        return None
    found = work
    for rows in (rows for rows in range(work.rows - 1, 0, -1) if work.rows % rows == 0):
        found = replace(work.with_rows(rows), accumulation=work.accumulation * work.rows // rows)
        if room.fits(found):
            break
    return found, f"{found.accumulation} micro-batches of {_count(found.rows, 'row')} a step"


def _checkpoint(work: Workload, room: Room[Workload]) -> tuple[Workload, str] | None:
    if work.activation_checkpointing:
        return None
    return replace(work, activation_checkpointing=True), "activation checkpointing"


def _halve(work: Workload, room: Room[Workload]) -> tuple[Workload, str] | None:
    return None if work.precision == "bfloat16" else (replace(work, precision="bfloat16"), "products in bfloat16")


def _adapt(work: Workload, room: Room[Workload]) -> tuple[Workload, str] | None:
    if work.lora is not None:
        return None
    lora = Lora()
    return replace(work, lora=lora), f"LoRA of rank {lora.rank} in place of all weights"


def _shard(work: Workload, room: Room[Workload]) -> tuple[Workload, str] | None:
    ranks = [ranks for ranks in _RANKS if ranks > work.ranks]
    if work.sharding != "weights":
        ranks = [work.ranks, *ranks] if work.ranks > 1 else ranks
    if not ranks:
        return None
    options = [replace(work, ranks=count, sharding="weights") for count in ranks]
    found = next((option for option in options if room.fits(option)), options[-1])
    return found, f"weights, gradients and states over {found.ranks} such devices (ZeRO-3, FSDP)"


# ---- inference -----------------------------------------------------------------------------------------------------


def _fewer_rows(asked: Request, room: Room[Request]) -> tuple[Request, str] | None:
    if asked.rows == 1:
        return None
    rows = max(1, room.largest(asked.with_rows, asked.rows - 1, asked.rows // 2))
    return replace(asked, rows=rows), f"{_count(rows, 'row')} at a time"


def _weights(asked: Request, weights: str) -> tuple[Request, str] | None:
    order = ("float32", "bfloat16", "int8", "int4")
    now = "bfloat16" if asked.weights == "float16" else asked.weights
    if order.index(weights) <= order.index(now):
        return None
    match weights:
        case "bfloat16":
            return replace(asked, weights="bfloat16"), "weights in 16 bits"
        case "int8":
            return replace(asked, weights="int8"), "weights in 8 bits"
        case _:
            return replace(asked, weights="int4"), "weights in 4 bits"


def _small_cache(asked: Request, room: Room[Request]) -> tuple[Request, str] | None:
    if asked.cache_format == "int8" or asked.architecture.decoder is None:
        return None
    return replace(asked, cache_format="int8"), "keys and values in 8 bits"


# ---- both ----------------------------------------------------------------------------------------------------------


def _shorten(subject: _S, room: Room[_S]) -> tuple[_S, str] | None:
    if subject.inputs == 1:
        return None
    inputs = max(1, room.largest(lambda inputs: with_inputs(subject, inputs), subject.inputs - 1, subject.inputs // 2))
    return with_inputs(subject, inputs), f"rows of {_count(inputs, 'token')}"


def _shrink(subject: _S, room: Room[_S]) -> tuple[_S, str] | None:
    """Fewer layers of the same kind and width."""
    architecture = subject.architecture
    periods = max(stack.periods for stack in architecture.stacks)
    if periods == 1:
        return None

    def of(part: int) -> _S:
        return replace(subject, architecture=_cut(architecture, part, periods))

    small = of(max(1, room.largest(of, periods - 1, periods // 2))).architecture
    layers = " + ".join(
        f"{new.depth} of {old.depth}" for new, old in zip(small.stacks, architecture.stacks, strict=True)
    )
    return replace(subject, architecture=small), f"{layers} layers, {small.parameters / 1e6:,.0f}M parameters"


def _cut(architecture: Architecture, part: int, of: int) -> Architecture:
    def cut(stack: Stack | None) -> Stack | None:
        if stack is None:
            return None
        periods = max(1, stack.periods * part // of)
        return replace(stack, depth=periods * len(stack.pattern))

    return replace(architecture, encoder=cut(architecture.encoder), decoder=cut(architecture.decoder))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
