"""Keeping freed memory, and reading the peak."""

import platform
import subprocess
import sys

import pytest
import torch

from trivium.errors import BudgetError
from trivium.train.machine import (
    keep_freed_memory,
    memory_errors,
    memory_in_use_bytes,
    peak_memory_bytes,
    reset_peak_memory,
)

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


PEAK = """
import torch
from trivium.train.machine import peak_memory_bytes, reset_peak_memory

cpu = torch.device("cpu")
reset_peak_memory(cpu)
before = peak_memory_bytes(cpu)
buffer = torch.ones(25_000_000)
during = peak_memory_bytes(cpu)
del buffer
print(during - before, peak_memory_bytes(cpu) / during)
"""


def test_peak_since_the_reset() -> None:
    """In a process of its own: one that kept freed memory would give the buffer out of that, and its peak stay."""
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    grown, held = map(float, done.stdout.split())
    assert grown == pytest.approx(100e6, rel=0.1)
    assert held == pytest.approx(1, rel=0.01)  # the system counts pages in lots


def test_a_memory_that_is_full_is_said_with_the_way_out() -> None:
    with pytest.raises(BudgetError, match=r"does not fit the memory.*Raise accumulation"), memory_errors():
        torch.empty(2**55, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="must match"), memory_errors():
        torch.ones(2) + torch.ones(3)


def test_what_is_in_use_is_taken_off_the_peak() -> None:
    before = memory_in_use_bytes()
    reset_peak_memory(CPU)
    buffer = torch.ones(25_000_000)
    assert peak_memory_bytes(CPU) - before["cpu"] == pytest.approx(100e6, rel=0.1)
    del buffer
    assert memory_in_use_bytes()["cpu"] == pytest.approx(before["cpu"], abs=20e6)
