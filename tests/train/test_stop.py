"""Signals: the first asks, the second acts, and none outside."""

import signal
import subprocess
import sys
import threading

import pytest

from trivium.train.stop import Stop, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_on_signals(Stop()) as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.reason == number.name
    assert signal.getsignal(number) is before


def test_the_second_interrupt_is_an_interrupt() -> None:
    def twice() -> None:
        with stop_on_signals(Stop()):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            twice()
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_second_termination_ends_the_process() -> None:
    program = (
        "import signal\nfrom trivium.train.stop import Stop, stop_on_signals\n"
        "with stop_on_signals(Stop()):\n"
        "    signal.raise_signal(signal.SIGTERM)\n    print('asked', flush=True)\n"
        "    signal.raise_signal(signal.SIGTERM)\n    print('still here', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGTERM
    assert done.stdout == "asked\n"


def test_outside_the_main_thread_no_handler_is_set() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with stop_on_signals(Stop()) as stop:
            seen.append(signal.getsignal(signal.SIGTERM))
            stop.request("a person")
            seen.append(stop.reason)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before, "a person"]
