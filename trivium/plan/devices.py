"""Accelerators as published: memory, bandwidth, peaks without sparsity, links. Frozen data; no torch.

Peaks are those of dense matrix products summed in float32. The common mistakes are left out on purpose: figures with
2:4 sparsity (A100 624, H100 1979, L4 242), and GeForce's faster sums in float16 (RTX 4090 330). Where makers give a
range, the lower end stands here. A GB is 10^9 bytes, as on the sheet: the true memory is a little more.
"""

__all__ = ["DEVICES", "Confidence", "Device", "Format", "device_named", "measured_device"]

import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trivium.errors import UsageError, nearest

Confidence = Literal["high", "medium", "measured"]
Format = Literal["float32", "tensorfloat32", "float16", "bfloat16", "float8", "float4", "int8"]


@dataclass(frozen=True)
class Device:
    """One accelerator: bytes, bytes/s, and FLOP/s by number format (operations/s for int8).

    `link` joins it to its like, both directions summed as makers count (bytes/s; None where unknown or absent).
    `confidence` is medium where published sources differ or few are at hand.
    """

    name: str
    title: str
    memory_bytes: int
    bandwidth: float
    flops_per_second: Mapping[Format, float]
    link: str | None = None
    link_bandwidth: float | None = None
    confidence: Confidence = "high"
    source: str = "published"

    @property
    def half_format(self) -> Format:
        """The 16-bit format it multiplies in, bfloat16 before float16; float32 where it has neither."""
        formats: tuple[Format, ...] = ("bfloat16", "float16")
        return next((found for found in formats if found in self.flops_per_second), "float32")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "flops_per_second": dict(self.flops_per_second)}


def _sheet(
    maker: str,
    name: str,
    title: str,
    memory_gb: float | int,
    gigabytes_per_second: float | int,
    teraflops: Mapping[str, float | int],
    link: str | None = None,
    link_gigabytes: float | int | None = None,
    confidence: Confidence = "high",
) -> Device:
    """A row of a data sheet, in its units; "half" is one figure for float16 and bfloat16."""
    peaks: dict[Format, float] = {}
    for written, rate in teraflops.items():
        for each in _FORMATS[written]:
            peaks[each] = rate * 1e12
    return Device(
        name,
        title,
        memory_bytes=round(memory_gb * 1e9),
        bandwidth=gigabytes_per_second * 1e9,
        flops_per_second=peaks,
        link=link,
        link_bandwidth=None if link_gigabytes is None else link_gigabytes * 1e9,
        confidence=confidence,
        source=f"published by {maker}",
    )


_FORMATS: dict[str, tuple[Format, ...]] = {
    "fp32": ("float32",),
    "tf32": ("tensorfloat32",),
    "half": ("float16", "bfloat16"),
    "fp16": ("float16",),
    "bf16": ("bfloat16",),
    "fp8": ("float8",),
    "fp4": ("float4",),
    "int8": ("int8",),
}
_V100 = {"fp32": 15.7, "fp16": 125}
_V100_PCIE = {"fp32": 14, "fp16": 112}
_A100 = {"fp32": 19.5, "tf32": 156, "half": 312, "int8": 624}
_H100 = {"fp32": 67, "tf32": 494.7, "half": 989.4, "fp8": 1978.9}
_B200 = {"fp32": 75, "tf32": 1100, "half": 2250, "fp8": 4500, "fp4": 9000}
_RTX_4090 = {"fp32": 82.6, "tf32": 82.6, "half": 165.2, "fp8": 330.3}

#: Every accelerator that is known, by name.
DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        _sheet("NVIDIA", "v100-sxm2-16", "V100 SXM2 16 GB", 16, 900, _V100, "NVLink", 300),
        _sheet("NVIDIA", "v100-sxm2-32", "V100 SXM2 32 GB", 32, 900, _V100, "NVLink", 300),
        _sheet("NVIDIA", "v100-pcie-16", "V100 PCIe 16 GB", 16, 900, _V100_PCIE, "PCIe 3", 32),
        _sheet("NVIDIA", "v100-pcie-32", "V100 PCIe 32 GB", 32, 900, _V100_PCIE, "PCIe 3", 32),
        _sheet("NVIDIA", "a100-sxm-40", "A100 SXM 40 GB", 40, 1555, _A100, "NVLink", 600),
        _sheet("NVIDIA", "a100-sxm-80", "A100 SXM 80 GB", 80, 2039, _A100, "NVLink", 600),
        _sheet("NVIDIA", "a100-pcie-80", "A100 PCIe 80 GB", 80, 1935, _A100, "NVLink bridge", 600),
        _sheet("NVIDIA", "h100-sxm", "H100 SXM", 80, 3350, _H100, "NVLink", 900),
        _sheet(
            "NVIDIA", "h100-pcie", "H100 PCIe", 80, 2000, {"fp32": 51, "tf32": 378, "half": 756, "fp8": 1513},
            "NVLink bridge", 600, "medium",
        ),
        _sheet("NVIDIA", "h200-sxm", "H200 SXM", 141, 4800, _H100, "NVLink", 900),
        _sheet(
            "NVIDIA", "h200-nvl", "H200 NVL", 141, 4800, {"fp32": 60, "tf32": 417.5, "half": 835.5, "fp8": 1671},
            "NVLink", 900, "medium",
        ),
        _sheet("NVIDIA", "b200", "B200 (HGX, 1000 W)", 180, 7700, _B200, "NVLink 5", 1800, "medium"),
        _sheet("NVIDIA", "l4", "L4", 24, 300, {"fp32": 30.3, "tf32": 60, "half": 121, "fp8": 242.5}, "PCIe 4", 64),
        _sheet("NVIDIA", "a10", "A10", 24, 600, {"fp32": 31.2, "tf32": 62.5, "half": 125}, "PCIe 4"),
        _sheet("NVIDIA", "t4", "T4", 16, 300, {"fp32": 8.1, "fp16": 65}, "PCIe 3"),
        _sheet("NVIDIA", "rtx-3090", "RTX 3090", 24, 936, {"fp32": 35.6, "tf32": 35.6, "half": 71}, "NVLink", 112.5),
        _sheet("NVIDIA", "rtx-4090", "RTX 4090", 24, 1008, _RTX_4090),
        _sheet("NVIDIA", "rtx-5090", "RTX 5090", 32, 1792, {"fp32": 104.8, "tf32": 104.8, "half": 209.5, "fp8": 419}),
        _sheet(
            "AMD", "mi300x", "MI300X", 192, 5300, {"fp32": 163.4, "tf32": 653.7, "half": 1307.4, "fp8": 2614.9},
            "Infinity Fabric", 896,
        ),
        _sheet("Google", "tpu-v3", "TPU v3", 32, 900, {"bf16": 123}),
        _sheet("Google", "tpu-v4", "TPU v4", 32 * 2**30 / 1e9, 1200, {"bf16": 275, "int8": 275}, "ICI", 300),
        _sheet("Google", "tpu-v5e", "TPU v5e", 16, 819, {"bf16": 197, "int8": 393}, "ICI", 400),
        _sheet("Google", "tpu-v5p", "TPU v5p", 95, 2765, {"bf16": 459, "fp8": 459, "int8": 918}, "ICI", 1200),
        _sheet("Google", "tpu-v6e", "TPU v6e", 32, 1638, {"bf16": 918, "int8": 1836}, "ICI", 800, "medium"),
    )
}  # fmt: skip


def device_named(name: str) -> Device:
    """The device of that name, however it is spelled ("A100 SXM 80GB"), or "here": this machine, measured.

    Raises `UsageError` where no device is meant, or several are.
    """
    wanted = re.findall(r"[a-z]+|\d+[a-z]?", re.sub(r"(?<=\d)\s*gb\b", "", name.lower()))
    if wanted == ["here"]:
        return measured_device()
    key = "".join(wanted)
    exact = [device for device in DEVICES.values() if key == device.name.replace("-", "")]
    found = exact or [device for device in DEVICES.values() if key and device.name.replace("-", "").startswith(key)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"'{name}' may be several devices: name one of {', '.join(device.name for device in found)}.")
    raise UsageError(
        f"There is no device '{name}'.{nearest(name.lower(), DEVICES)} There are: here (this machine, measured), "
        f"{', '.join(DEVICES)}. For another, give its memory by --memory-gb alone; latency needs a device."
    )


def measured_device() -> Device:
    """Measure the free memory of this machine, its matrix products and its reading, in a fraction of a second."""
    import torch

    from trivium.plan.machine import measure_machine

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    machine = measure_machine(device)
    return Device(
        "here",
        machine.name,
        machine.memory_bytes,
        _measured_bandwidth(str(device)),
        {machine.precision.format: machine.flops_per_second},
        confidence="measured",
        source="measured now",
    )


def _measured_bandwidth(device: str) -> float:
    """Bytes/s of reading a tensor that no cache holds, the best of five."""
    import torch

    values = torch.ones(64 * 2**20, device=device)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        values.sum().item()
        best = min(best, time.perf_counter() - start)
    return values.nbytes / best
