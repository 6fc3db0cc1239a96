"""What a person sees: the live line, the plain lines and the closing box."""

import io

import pytest
from rich.console import Console

from trivium.train.bill import Line
from trivium.train.progress import Progress, closing_box, duration
from trivium.train.state import TrainResult, TrainState
from trivium.train.step_memory import StepMemory
from trivium.train.validation import Validation


def row(step: int) -> dict:
    return {
        "step": step,
        "loss": 3.25,
        "learning_rate": 3e-4,
        "tokens": 1000 * step,
        "targets": 900 * step,
        "seconds": step / 10,
        "tokens_per_second": 10_000.0,
    }


def shown(terminal: bool, **options: float) -> str:
    console = Console(file=io.StringIO(), width=120, force_terminal=terminal, color_system=None)
    with Progress(console, 3, title="decoder", **options) as progress:
        progress.update(row(1), 2 * 10**9)
        progress.update({"step": 1, "validation": Validation(2.5, 10).to_dict()}, 2 * 10**9)
        progress.update(row(2), 2 * 10**9)
        progress.update(row(3), 2 * 10**9)
    return console.file.getvalue()


def test_plain_lines_where_there_is_no_terminal() -> None:
    """The first step, the last, and others only every ten seconds; no control characters."""
    lines = shown(terminal=False, flops_per_token=1e6, peak_flops_per_second=1e12).splitlines()
    assert len(lines) == 2
    assert lines[0] == "decoder step 1/3 · loss 3.250 · lr 3.00e-04 · 10,000 tokens/s · MFU 1 % · 2.00 GB"
    assert lines[1].startswith("decoder step 3/3 · loss 3.250 · validation 2.500 · lr")
    assert lines[1].endswith("0:00 left")


def test_one_live_line_on_a_terminal() -> None:
    output = shown(terminal=True)
    assert "step 3/3" in output
    assert "MFU" not in output
    assert "\x1b" in output
    assert output.count("\n") <= 1


def test_closing_box() -> None:
    console = Console(file=io.StringIO(), width=100)
    state = TrainState().after(3.0, 1000, 400, 2.0, 2.0).with_validation(Validation(1.0, 100, 300))
    console.print(closing_box(TrainResult.of(state.with_peak(3 * 10**9), None, 1e9), "decoder"))
    text = console.file.getvalue()
    for words in (
        "decoder: done",
        "1,000 read, 400 with a loss",
        "0:02 in steps, 500 tokens/s, 500.0 GFLOP/s",
        "3.00 GB at the peak",
        "3.0000 nats",
        "1.0000 nats, perplexity 2.72, 0.4809 bits per byte",
    ):
        assert words in text
    console.print(closing_box(TrainResult.of(state, "SIGINT", None)))
    assert "stopped by SIGINT" in console.file.getvalue()


def test_closing_box_with_a_bill() -> None:
    console = Console(file=io.StringIO(), width=120)
    state = TrainState().after(3.0, 1000, 400, 2.0, 2.0).with_memory(StepMemory(10**6, 10**6, 2 * 10**6, 5 * 10**5))
    lines = [Line("memory", "B", 4e6, 4.5e6), Line("resident memory", "B", None, 9e6, "all that the process took")]
    console.print(closing_box(TrainResult.of(state, None, None, 250_000, 2.0), "decoder", lines))
    text = console.file.getvalue()
    for words in (
        "0:02 in steps (median 2.00 s)",
        "4.5 MB in tensors: weights 1 MB, gradients 1 MB, optimizer 2 MB, rest 500 kB",
        "+12.5%",
        "resident memory: all that the process took",
    ):
        assert words in text


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0:00"), (59.6, "1:00"), (125.0, "2:05"), (3725.2, "1:02:05")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
