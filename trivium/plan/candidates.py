"""The published models of an option, and the largest of them that fits. No torch."""

__all__ = ["Candidate", "Limits", "candidates", "largest", "next_larger"]

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from trivium.architecture import Architecture, Kind
from trivium.families.registry import FAMILIES
from trivium.plan.advice import Option
from trivium.plan.devices import Device
from trivium.plan.serving import Serving, WeightFormat, rule_flops, serving


@dataclass(frozen=True)
class Limits:
    """What a request is, and what it may take: tokens read and written, bytes, seconds, the weights' format.

    `shot_tokens` are those of the examples in a prompt, which come on top of `inputs`; an encoder reads none.

    `latency_seconds` is for the request, or with `per_token` for each token written (an encoder writes none: there it
    stays the request's).
    """

    inputs: int
    shot_tokens: int
    outputs: int
    memory_bytes: int
    latency_seconds: float | None
    per_token: bool
    weights: WeightFormat

    def __str__(self) -> str:
        size = f"{self.memory_bytes / 1e9:,.4g} GB"
        if self.latency_seconds is None:
            return size
        return f"{size} and {self.latency_seconds * 1e3:,.4g} ms a {'token' if self.per_token else 'request'}"

    def read_by(self, kind: Kind) -> int:
        """Tokens that a model of that kind reads for a request."""
        return self.inputs if kind == "encoder" else self.inputs + self.shot_tokens

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


@dataclass(frozen=True)
class Candidate:
    """A published model with what a request takes. `longest` is the longest it reads (None: nothing limits it).

    `training_flops` are those of a request by the rule 6 N D, of an encoder-decoder 6 (N_enc D_in + N_dec D_out).
    """

    family: str
    size: str
    kind: Kind
    parameters: int
    non_embedding_parameters: int
    training_flops: int
    longest: int | None
    reads: bool
    serving: Serving

    @property
    def name(self) -> str:
        """Family and size."""
        return f"{self.family} {self.size}"

    def seconds(self, limits: Limits) -> float | None:
        """What the limit of time is for: the request, or with `per_token` a token, where any is written."""
        per_token = limits.per_token and self.serving.token_seconds is not None
        return self.serving.token_seconds if per_token else self.serving.request_seconds

    def fits(self, limits: Limits) -> bool:
        """Whether it can read the text and keeps to memory and time."""
        if not self.reads or self.serving.memory_bytes > limits.memory_bytes:
            return False
        seconds = self.seconds(limits)
        return limits.latency_seconds is None or (seconds is not None and seconds <= limits.latency_seconds)


def candidates(option: Option, limits: Limits, device: Device | None) -> Iterator[Candidate]:
    """The option's published models, in its order of preference."""
    for start in option.starts:
        for size in FAMILIES[start.family].sizes:
            wanted = not start.sizes or size.startswith(start.sizes)
            if wanted and not (start.without and size.startswith(start.without)):
                yield _candidate(start.family, size, limits, device)


def _candidate(family: str, size: str, limits: Limits, device: Device | None) -> Candidate:
    architecture = _architecture(family, size)
    stack = architecture.stacks[0]
    longest = architecture.context if architecture.context is not None else stack.trained_length
    inputs = limits.read_by(architecture.kind)
    match architecture.kind:
        case "encoder":
            taken = inputs
        case "decoder":
            taken = inputs + limits.outputs
        case "encoder-decoder":
            taken = max(inputs, limits.outputs)
    return Candidate(
        family,
        size,
        architecture.kind,
        *_sizes(family, size),
        rule_flops(architecture, inputs, limits.outputs),
        longest,
        longest is None or taken <= longest,
        serving(architecture, inputs, limits.outputs, limits.weights, device),
    )


@cache
def _architecture(family: str, size: str) -> Architecture:
    return FAMILIES[family].size(size)


@cache
def _sizes(family: str, size: str) -> tuple[int, int]:
    architecture = _architecture(family, size)
    return architecture.parameters, architecture.non_embedding_parameters


def largest(option: Option, limits: Limits, device: Device | None) -> Candidate | None:
    """The fitting model with the most parameters beside its tables (of equals the first), or None where none fits."""
    fitting = [candidate for candidate in candidates(option, limits, device) if candidate.fits(limits)]
    return max(fitting, key=lambda candidate: candidate.non_embedding_parameters, default=None)


def next_larger(option: Option, chosen: Candidate, limits: Limits, device: Device | None) -> Candidate | None:
    """The smallest that is larger than the chosen one and reads the text: what a little more room would buy."""
    larger = [
        candidate
        for candidate in candidates(option, limits, device)
        if candidate.reads and candidate.non_embedding_parameters > chosen.non_embedding_parameters
    ]
    return min(larger, key=lambda candidate: candidate.non_embedding_parameters, default=None)
