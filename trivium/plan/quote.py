"""The quote of a training run, and the bill beside it."""

__all__ = ["Bill", "ExpectedLoss", "Quote"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from trivium.architecture import Kind
from trivium.train.bill import Line
from trivium.train.state import TrainResult
from trivium.train.step_memory import StepMemory

_DAY = 86_400.0
_RESIDENT = (
    "what the process grew by, with memory that kernels take for themselves and the system's allocator holds back"
)
_ALLOCATED = "the peak of the GPU's allocator, with what kernels take for themselves"


@dataclass(frozen=True)
class ExpectedLoss:
    """A held-out loss that a scaling law foretells, in nats a target, with the interval that holds it in `coverage`."""

    loss: float
    low: float
    high: float
    coverage: float
    source: str

    @property
    def interval(self) -> str:
        """The interval and where it is from, in words."""
        return f"{self.low:.3f} to {self.high:.3f} expected in {self.coverage:.0%} of cases, by {self.source}"


@dataclass(frozen=True)
class Quote:
    """What a run is expected to be and to take, before it starts.

    `flops` are the exact ones of the architecture for all steps, forward and backward; `rule_flops` is 6 N D (3 N D
    for an encoder-decoder). `seconds` are those of all steps, `between_seconds` of validations and checkpoints, and
    `step_seconds` is the median step. `memory` is of a step's tensors at their peak, which is in `peak_phase`, and
    `rest` says what they are beside weights, gradients and optimizer states.
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
    step_seconds: float
    between_seconds: float = 0.0
    memory: StepMemory | None = None
    rest: Mapping[str, int] = field(default_factory=dict)
    peak_phase: str = ""
    loss: ExpectedLoss | None = None

    @property
    def tokens_per_parameter(self) -> float:
        """D / N."""
        return self.tokens / self.parameters

    @property
    def petaflop_s_days(self) -> float:
        """10^15 operations a second for a day: 8.64e19 (Kaplan et al. 2020, section 1.3)."""
        return self.flops / (1e15 * _DAY)

    @property
    def flops_per_second(self) -> float:
        """Of the model's own arithmetic, in steps."""
        return self.flops / self.seconds

    @property
    def whole_seconds(self) -> float:
        """Steps, validations and checkpoints."""
        return self.seconds + self.between_seconds

    @property
    def memory_bytes(self) -> int | None:
        """Of all tensors of a step, at their peak."""
        return None if self.memory is None else self.memory.total

    def lines(self, result: TrainResult) -> tuple[Line, ...]:
        """The bill's lines of a run that ended in `result`."""
        return Bill.of(self, result).lines

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with what follows from it."""
        follows = ("tokens_per_parameter", "petaflop_s_days", "flops_per_second", "whole_seconds", "memory_bytes")
        memory = None if self.memory is None else self.memory.to_dict()
        return {**asdict(self), "memory": memory, **{name: getattr(self, name) for name in follows}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Quote":
        """The quote that `to_dict` gave, also one of an older version, which had no parts of the memory."""
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        memory, loss = values.get("memory"), values.get("loss")
        known["step_seconds"] = values.get("step_seconds", values["seconds"] / values["steps"])
        known["memory"] = None if memory is None else StepMemory.from_dict(memory)
        known["loss"] = None if loss is None else ExpectedLoss(**loss)
        return cls(**known)


@dataclass(frozen=True)
class Bill:
    """The quote's lines with what was measured."""

    quote: Quote
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, quote: Quote, result: TrainResult, held_out_loss: float | None = None) -> "Bill":
        """What the run measured beside what was quoted. What a run did not measure has no line.

        `held_out_loss` is that of all held-out text; without it the run's last validation stands in.
        """
        lines: list[Line | None] = [
            _line("parameters", "", quote.parameters, result.parameters),
            _line("tokens", "", quote.tokens, result.tokens),
            _line("a step", "s", quote.step_seconds, result.median_step_seconds),
            _line("whole time", "s", quote.whole_seconds, result.whole_seconds),
            _line("rate", "FLOP/s", quote.flops_per_second, result.flops_per_second),
            *_memory(quote.memory, result),
        ]
        if held_out_loss is None and result.validation is not None:
            held_out_loss = result.validation.loss
        if quote.loss is not None:
            lines.append(_line("held-out loss", "nats", quote.loss.loss, held_out_loss, quote.loss.interval))
        return cls(quote, tuple(line for line in lines if line is not None))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {"quote": self.quote.to_dict(), "lines": [line.to_dict() for line in self.lines]}


def _memory(expected: StepMemory | None, result: TrainResult) -> list[Line | None]:
    foreseen = asdict(expected) if expected else {}
    total = expected.total if expected else None
    lines: list[Line | None] = []
    if result.memory is not None:
        parts = asdict(result.memory).items()
        lines = [
            _line("memory", "B", total, result.memory.total),
            *(_line(f"  {name}", "B", foreseen.get(name), size) for name, size in parts),
        ]
    if result.device == "cuda":
        return [*lines, _line("allocated", "B", total, result.peak_memory_bytes, _ALLOCATED)]
    return [*lines, _line("resident", "B", None, result.peak_memory_bytes, _RESIDENT)]


def _line(
    what: str, unit: str, expected: float | int | None, measured: float | int | None, note: str = ""
) -> Line | None:
    if measured is None:
        return None
    return Line(what, unit, None if expected is None else float(expected), float(measured), note)
