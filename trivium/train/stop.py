"""A person, or a cluster's scheduler, who wants a run to stop: SIGINT and SIGTERM."""

__all__ = ["Stop", "stop_on_signals"]

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


class Stop:
    """Whether the run has been asked to stop, and by what. Anyone may ask: `stop.request("the caller")`."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def request(self, reason: str) -> None:
        """Ask the run to save and leave after the step it is in."""
        self.reason = self.reason or reason

    @property
    def requested(self) -> bool:
        """Whether someone has asked."""
        return self.reason is not None


@contextlib.contextmanager
def stop_on_signals(stop: Stop) -> Iterator[Stop]:
    """Within this context the first SIGINT or SIGTERM asks `stop`, and the second acts as it would outside: at once.

    The handlers that were there come back at the first signal and at the end. Does nothing outside the main thread,
    where Python allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before: dict[signal.Signals, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.request(signal.Signals(number).name)
        restore()

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, on_signal)
        yield stop
    finally:
        restore()
