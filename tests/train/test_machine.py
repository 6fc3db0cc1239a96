"""Keeping freed memory, and reading the peak."""

import platform
import subprocess
import sys

import pytest
import torch

from trivium.train.machine import keep_freed_memory, peak_memory_bytes, reset_peak_memory

CPU = torch.device("cpu")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such thresholds")
def test_freed_memory_is_kept() -> None:
    """A buffer of 64 MB that is made again and again soon costs no page faults."""
    program = (
        "import resource, torch\n"
        "from trivium.train.machine import keep_freed_memory\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(5):\n"
        "        torch.ones(16_000_000)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "given_back = faults()\n"
        "assert keep_freed_memory()\n"
        "for _ in range(5):\n"
        "    faults()\n"
        "print(given_back, faults())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    given_back, kept = map(int, done.stdout.split())
    assert given_back > 100
    assert kept < given_back / 10


def test_elsewhere_it_says_that_it_could_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False


def test_peak_since_the_reset() -> None:
    reset_peak_memory(CPU)
    before = peak_memory_bytes(CPU)
    buffer = torch.ones(25_000_000)
    during = peak_memory_bytes(CPU)
    del buffer
    assert during - before == pytest.approx(100e6, rel=0.1)
    assert peak_memory_bytes(CPU) == pytest.approx(during, rel=0.01)  # the system counts pages in lots
