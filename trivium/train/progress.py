"""What a person sees while a model trains: a live line on a terminal, a plain line now and then elsewhere, a box."""

__all__ = ["Progress", "closing_box", "duration"]

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from trivium.train.bill import Line, quantity
from trivium.train.state import TrainResult

#: Seconds between two lines where the output is not a terminal.
_PLAIN_EVERY_SECONDS = 10.0


class Progress:
    """Draws the rows of a run: step, loss, learning rate, tokens/s, MFU, memory and the time that is left.

    MFU is the part of `peak_flops_per_second` that the model's own arithmetic (`flops_per_token`) uses; without both it
    is left out (Chowdhery et al. 2022, "PaLM", appendix B). Use as a context manager.
    """

    def __init__(
        self,
        console: Console,
        steps: int,
        *,
        title: str = "train",
        flops_per_token: float | None = None,
        peak_flops_per_second: float | None = None,
    ) -> None:
        self.console, self.steps, self.title = console, steps, title
        self.flops_per_token, self.peak_flops_per_second = flops_per_token, peak_flops_per_second
        self.recent: deque[tuple[float, int]] = deque(maxlen=20)
        self.live = Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal else None
        self.validation, self.printed_at = "", 0.0

    def __enter__(self) -> "Progress":
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.live:
            self.live.stop()

    def update(self, row: Mapping[str, Any], memory_bytes: int) -> None:
        """Show one row of metrics."""
        if row.get("validation"):
            self.validation = f" · validation {row['validation']['loss']:.3f}"
            return
        self.recent.append((time.monotonic(), row["tokens"]))
        line = self._line(row, memory_bytes)
        if self.live:
            self.live.update(Text(line, no_wrap=True, overflow="ellipsis"))
        elif time.monotonic() - self.printed_at >= _PLAIN_EVERY_SECONDS or row["step"] == self.steps:
            self.console.print(line, highlight=False, soft_wrap=True)
            self.printed_at = time.monotonic()

    def _line(self, row: Mapping[str, Any], memory_bytes: int) -> str:
        (first_time, first_tokens), (last_time, last_tokens) = self.recent[0], self.recent[-1]
        passed = last_time - first_time
        rate = (last_tokens - first_tokens) / passed if passed > 0 else row["tokens_per_second"]
        parts = [
            f"{self.title} step {row['step']:,}/{self.steps:,}",
            f"loss {row['loss']:.3f}{self.validation}",
            f"lr {row['learning_rate']:.2e}",
            f"{rate:,.0f} tokens/s",
        ]
        if self.flops_per_token and self.peak_flops_per_second:
            parts.append(f"MFU {100 * rate * self.flops_per_token / self.peak_flops_per_second:.0f} %")
        parts.append(f"{memory_bytes / 1e9:.2f} GB")
        if passed > 0:
            parts.append(f"{duration((self.steps - row['step']) * passed / (len(self.recent) - 1))} left")
        return " · ".join(parts)


def closing_box(result: TrainResult, title: str = "train", bill: Sequence[Line] = ()) -> Panel:
    """What a run did, in a box for a terminal, and below it the `bill`: what was expected of it beside that."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    rate = f"{result.tokens_per_second:,.0f} tokens/s"
    if result.flops_per_second:
        rate += f", {result.flops_per_second / 1e9:,.1f} GFLOP/s"
    table.add_row("steps", f"{result.steps:,}" + (f", stopped by {result.stopped_by}" if result.stopped_by else ""))
    table.add_row("tokens", f"{result.tokens:,} read, {result.targets:,} with a loss")
    median = result.median_step_seconds
    step = "" if median is None else f" (median {quantity(median, 's')})"
    table.add_row("time", f"{duration(result.seconds)} in steps{step}, {rate}")
    table.add_row("memory", f"{result.peak_memory_bytes / 1e9:.2f} GB at the peak")
    if result.memory is not None:
        parts = ", ".join(f"{name} {quantity(size, 'B')}" for name, size in asdict(result.memory).items())
        table.add_row("of a step", f"{quantity(result.memory.total, 'B')} in tensors: {parts}")
    if result.mean_loss is not None:
        table.add_row("loss", f"{result.mean_loss:.4f} nats (mean of the last steps)")
    if result.validation is not None:
        found = result.validation
        bits = "" if found.bits_per_byte is None else f", {found.bits_per_byte:.4f} bits per byte"
        table.add_row("validation", f"{found.loss:.4f} nats, perplexity {found.perplexity:,.2f}{bits}")
    if result.kept_step is not None and result.kept_step < result.steps:
        lowest = "" if result.best_validation_loss is None else f" ({result.best_validation_loss:.4f})"
        table.add_row("model", f"of step {result.kept_step:,}, whose validation loss was the lowest{lowest}")
    name = f"{title}: {'done' if result.finished else 'stopped'}"
    return Panel(Group(table, *_bill(bill)), title=name, box=box.ROUNDED, expand=False)


def _bill(lines: Sequence[Line]) -> list[RenderableType]:
    if not lines:
        return []
    table = Table("the bill", box=None, header_style="dim", pad_edge=False)
    for column in ("expected", "measured", "error"):
        table.add_column(column, justify="right")
    for line in lines:
        table.add_row(*line.cells())
    return ["", table, *(Text(f"{line.what}: {line.note}", style="dim") for line in lines if line.note)]


def duration(seconds: float) -> str:
    """`1:02:03` or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
