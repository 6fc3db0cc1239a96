"""Which number format this machine multiplies matrices faster in, by measuring it, and the context that uses it."""

__all__ = ["Precision", "autocast", "measure_matmul", "resolve_precision"]

import contextlib
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

_Format = Literal["float32", "bfloat16"]

#: bfloat16 must win by this much: casting the weights in every step costs something that a lone product does not show.
_WORTH_CASTING = 1.2


@dataclass(frozen=True)
class Precision:
    """The number format of the matrix products, and the measurement that chose it (FLOP/s; None where not measured)."""

    format: _Format
    float32_flops_per_second: float | None = None
    bfloat16_flops_per_second: float | None = None

    @property
    def dtype(self) -> torch.dtype:
        """The format as torch names it."""
        return torch.bfloat16 if self.format == "bfloat16" else torch.float32

    @property
    def flops_per_second(self) -> float | None:
        """What was measured in the chosen format: the machine's practical peak, of which MFU is a part."""
        return self.bfloat16_flops_per_second if self.format == "bfloat16" else self.float32_flops_per_second

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


def measure_matmul(dtype: torch.dtype, device: torch.device, seconds: float = 0.1) -> float:
    """FLOP/s of a square matrix product, the best of what fits into `seconds` (2 n^3 operations each)."""
    n = 4096 if device.type == "cuda" else 384
    a = torch.ones(n, n, dtype=dtype, device=device)
    out = torch.empty_like(a)
    best, end = float("inf"), 0.0
    for round_number in range(1000):
        start = time.perf_counter()
        torch.mm(a, a, out=out)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        now = time.perf_counter()
        if round_number == 0:
            end = now + seconds  # the first product starts threads and libraries; it counts only if it is the only one
        best = min(best, now - start)
        if now >= end and round_number > 0:
            break
    return 2 * n**3 / best


def resolve_precision(wanted: Literal["auto", "float32", "bfloat16"], device: torch.device) -> Precision:
    """The precision that `wanted` means on `device`; "auto" is decided by a fraction of a second of measurement."""
    if wanted != "auto":
        dtype = torch.bfloat16 if wanted == "bfloat16" else torch.float32
        measured = measure_matmul(dtype, device)
        return Precision(wanted, **{f"{wanted}_flops_per_second": measured})
    full, half = measure_matmul(torch.float32, device), measure_matmul(torch.bfloat16, device)
    return Precision("bfloat16" if half > _WORTH_CASTING * full else "float32", full, half)


def autocast(precision: Precision, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """The context in which a model's forward pass multiplies in `precision`; the weights stay float32."""
    if precision.format == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
