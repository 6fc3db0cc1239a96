"""What this machine is and does, measured in a fraction of a second."""

__all__ = ["Machine", "free_memory_bytes", "measure_machine"]

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
import torch

from trivium.train.machine import memory_in_use_bytes
from trivium.train.precision import Precision, resolve_precision

_CONTAINER = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Machine:
    """`threads` of the processor, or a GPU; the memory that a run may use; the rate of its matrix products."""

    name: str
    device: str
    threads: int
    memory_bytes: int
    precision: Precision

    @property
    def flops_per_second(self) -> float:
        """Of a lone matrix product in the chosen precision: the practical peak."""
        assert self.precision.flops_per_second is not None
        return self.precision.flops_per_second

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Machine":
        """The machine that `to_dict` gave."""
        return cls(**{**values, "precision": Precision(**values["precision"])})


def measure_machine(device: torch.device, precision: Literal["auto", "float32", "bfloat16"] = "auto") -> Machine:
    """Measure matrix products and read the free memory."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    free = free_memory_bytes(device)
    measured = resolve_precision(precision, device)
    return Machine(name, str(device), torch.get_num_threads(), free, measured)


def free_memory_bytes(device: torch.device) -> int:
    """What a run may take now, of a GPU's memory or the system's, once this process gave back what it had freed."""
    memory_in_use_bytes()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    limited = _free_in_container(_CONTAINER)
    return free if limited is None else min(free, limited)


def _free_in_container(folder: Path) -> int | None:
    """What is left of the memory that this process's container may take, where it has a limit (Linux, cgroups v2)."""
    try:
        limit, used = int((folder / "memory.max").read_text()), int((folder / "memory.current").read_text())
        lines = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        # Pages of files that nobody uses count as used, and are given up when memory is asked for.
        return max(0, limit - used + int(lines["inactive_file"]))
    except (OSError, ValueError, KeyError):
        return None  # there are no such files, or the limit is the word "max"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"
