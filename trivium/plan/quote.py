"""The quote of a training run, and the bill beside it."""

__all__ = ["Bill", "Line", "Quote"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trivium.architecture import Kind

_DAY = 86_400.0


@dataclass(frozen=True)
class Quote:
    """What a run is expected to be and to take, before it starts.

    `flops` are the exact ones of the architecture for all steps, forward and backward; `rule_flops` is 6 N D (3 N D
    for an encoder-decoder). `memory_bytes` is what the run takes beside the process that holds it.
    """

    name: str
    family: str
    kind: Kind
    dim: int
    depth: int
    parameters: int
    tokens: int
    steps: int
    rows: int
    flops: float
    rule_flops: float
    seconds: float
    memory_bytes: int

    @property
    def tokens_per_parameter(self) -> float:
        """D / N."""
        return self.tokens / self.parameters

    @property
    def petaflop_s_days(self) -> float:
        """10^15 operations a second for a day: 8.64e19 (Kaplan et al. 2020, section 1.3)."""
        return self.flops / (1e15 * _DAY)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with what follows from it."""
        follows = {"tokens_per_parameter": self.tokens_per_parameter, "petaflop_s_days": self.petaflop_s_days}
        return {**asdict(self), **follows}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Quote":
        """The quote that `to_dict` gave."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Line:
    """One thing that was expected and measured."""

    what: str
    unit: str
    expected: float
    measured: float

    @property
    def error(self) -> float:
        """Measured over expected, less one."""
        return self.measured / self.expected - 1 if self.expected else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the error."""
        return {**asdict(self), "error": self.error}


@dataclass(frozen=True)
class Bill:
    """The quote's lines with what was measured."""

    quote: Quote
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, quote: Quote, *, parameters: int, tokens: int, seconds: float, memory_bytes: int) -> "Bill":
        """Measured values beside the quoted ones."""
        rate, measured_rate = quote.flops / quote.seconds, quote.flops * (tokens / quote.tokens) / max(seconds, 1e-9)
        return cls(
            quote,
            (
                Line("parameters", "", float(quote.parameters), float(parameters)),
                Line("tokens", "", float(quote.tokens), float(tokens)),
                Line("time", "s", quote.seconds, seconds),
                Line("memory", "B", float(quote.memory_bytes), float(memory_bytes)),
                Line("rate", "FLOP/s", rate, measured_rate),
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {"quote": self.quote.to_dict(), "lines": [line.to_dict() for line in self.lines]}
