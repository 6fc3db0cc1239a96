"""The memory of the machine: keeping what was freed, and reading the peak.

A training step asks for the same large buffers again and again. glibc gives each back to the system when it is freed,
and the system clears every page before it gives it out again. Keeping freed memory saves that.
"""

__all__ = ["keep_freed_memory", "memory_errors", "memory_in_use_bytes", "peak_memory_bytes", "reset_peak_memory"]

import contextlib
import ctypes
import gc
import platform
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

from trivium.errors import BudgetError

# Numbers of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
_LARGEST_INT = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for its next buffers. Says whether it could (Linux with glibc only).

    For the whole process and for good: call it at the start of a run, not in a library. The peak hardly changes; what
    is freed is not given to other programs until the process ends. benchmarks/freed_memory.py measures what it buys.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    options = ((_MMAP_THRESHOLD, 2**30), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, _LARGEST_INT), (_TOP_PAD, 64 * 2**20))
    accepted = [mallopt(option, value) == 1 for option, value in options]
    return all(accepted)


@contextlib.contextmanager
def memory_errors() -> Iterator[None]:
    """Turn torch's errors of a memory that is full into a `BudgetError` that names the way out."""
    try:
        yield
    except RuntimeError as error:
        # On a GPU the error has a class of its own; the processor's allocator has only its words.
        if not isinstance(error, torch.OutOfMemoryError) and "you tried to allocate" not in str(error):
            raise
        raise BudgetError(
            f"A training step does not fit the memory ({str(error).splitlines()[0]}). Raise accumulation, which cuts "
            "a step into smaller micro-batches with the same result, set activation_checkpointing, or take a smaller "
            "model."
        ) from error


def reset_peak_memory(device: torch.device) -> None:
    """Start measuring the peak anew: the allocator's on a GPU, the process's resident memory where the system can."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    # Where this is not allowed the peak is that of the whole process, which is never too small.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes(device: torch.device) -> int:
    """The most memory that was in use since `reset_peak_memory`, in bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return largest if sys.platform == "darwin" else largest * 1024
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def memory_in_use_bytes() -> dict[str, int]:
    """What is in use now by kind of device, in bytes, after freed memory was given back.

    What a run needs is its peak less this, taken before its model is built.
    """
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
    return {"cpu": int(psutil.Process().memory_info().rss), "cuda": torch.cuda.memory_allocated()}
