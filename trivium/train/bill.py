"""What a run was expected to be and what it was, line by line."""

__all__ = ["Expectation", "Line", "quantity"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from trivium.train.state import TrainResult


@dataclass(frozen=True)
class Line:
    """One quantity, expected and measured. `unit` is "" for a number of things, "s", "B", "FLOP/s" or "nats".

    `expected` is None where nothing was foreseen. `note` says what is measured where the name does not.
    """

    what: str
    unit: str
    expected: float | int | None
    measured: float | int
    note: str = ""

    @property
    def error(self) -> float | None:
        """Measured over expected, less one; None where nothing was expected."""
        return self.measured / self.expected - 1 if self.expected else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the error."""
        return {**asdict(self), "error": self.error}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Line":
        """The line that `to_dict` gave."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})

    def cells(self) -> tuple[str, str, str, str]:
        """What, expected, measured and error, as a person reads them."""
        expected = "–" if self.expected is None else quantity(self.expected, self.unit)
        error = "–" if self.error is None else f"{self.error:+.1%}"
        return self.what, expected, quantity(self.measured, self.unit), error


@runtime_checkable
class Expectation(Protocol):
    """What is expected of a run: it goes into the run's record as plain data, and is compared with the result."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the record."""

    def lines(self, result: TrainResult) -> Sequence[Line]:
        """The expected beside the measured."""


def quantity(value: float | int, unit: str) -> str:
    """A number with its unit, scaled: 6.14e9 FLOP/s → 6.14 GFLOP/s."""
    if unit == "s":
        return _time(value)
    if unit == "nats":
        return f"{value:.3f} nats"
    for scale, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if unit and value >= scale:
            return f"{value / scale:.4g} {prefix}{unit}"
    return f"{value:,.0f} {unit}".strip()


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:,.3g} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"
