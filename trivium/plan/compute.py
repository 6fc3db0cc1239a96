"""The operations of training, counted and by the rules; and how long any device takes for them. No torch.

    exact       every matrix product, forward and backward (`operations`)
    rule        6 N D; of an encoder-decoder 3 N D, as each token sees half of N (Brown et al. 2020, table D.1)
    by stacks   6 (N_enc · T_in + N_dec · T_out), N of stacks without the token table

N: parameters    D: tokens    a petaflop/s-day is 8.64e19 operations (Kaplan et al. 2020, section 1.3)
"""

__all__ = [
    "PETAFLOP_S_DAY",
    "DeviceTime",
    "Equivalence",
    "StepFlops",
    "TrainingFlops",
    "device_time",
    "petaflop_s_days",
    "rule_flops",
    "step_flops",
    "textbook_equivalences",
    "training_flops",
]

from dataclasses import asdict, dataclass
from typing import Any

from trivium.architecture import Architecture
from trivium.errors import UsageError, nearest
from trivium.plan import serving
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN
from trivium.plan.devices import DEVICES, Device, Format
from trivium.plan.operations import operations
from trivium.plan.published_runs import utilisation_range
from trivium.plan.workload import Workload

_DAY = 86_400.0
#: 10^15 operations a second, for a day.
PETAFLOP_S_DAY = 1e15 * _DAY
#: How much faster products are where two of four weights are zero, on devices that can use it (NVIDIA's 2:4 sparsity).
_SPARSE = 2.0


def petaflop_s_days(flops: float | int) -> float:
    """Operations in petaflop/s-days."""
    return flops / PETAFLOP_S_DAY


# ---- counting ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StepFlops:
    """Operations of one step on one device, all micro-batches together."""

    forward: int
    backward: int
    recomputation: int

    @property
    def model(self) -> int:
        """What the gradient needs: forward and backward. Utilisation of these is MFU."""
        return self.forward + self.backward

    @property
    def hardware(self) -> int:
        """What is done: the recomputed activations, too. Utilisation of these is HFU."""
        return self.model + self.recomputation

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with both sums."""
        return {**asdict(self), "model": self.model, "hardware": self.hardware}


def step_flops(workload: Workload) -> StepFlops:
    """Count a step's matrix products: what torch counts while it runs, where attention is not fused."""
    done = operations(workload)
    times = workload.accumulation
    return StepFlops(
        times * sum(each.forward for each in done),
        times * sum(each.backward for each in done),
        times * sum(each.forward for each in done if each.recomputed),
    )


def rule_flops(architecture: Architecture, tokens: float | int) -> float:
    """6 N D, or 3 N D of an encoder-decoder; N are all parameters, D the tokens of both sides."""
    return FLOPS_PER_PARAMETER_AND_TOKEN[architecture.kind] * architecture.parameters * tokens


@dataclass(frozen=True)
class TrainingFlops:
    """Operations of a whole training: exact, and by the two rules beside it. `hardware` has what is recomputed."""

    tokens: float | int
    exact: float | int
    hardware: float | int
    rule: float | int
    by_stacks: float | int

    @property
    def petaflop_s_days(self) -> float:
        """Of the exact count."""
        return petaflop_s_days(self.exact)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "petaflop_s_days": self.petaflop_s_days}


def training_flops(workload: Workload, tokens: float | int) -> TrainingFlops:
    """A training of `tokens`, read and written, in steps like this one. LoRA spares what frozen weights do not need.

    The rules are of full training, and know neither attention's length nor how often the head speaks.
    """
    architecture, step, steps = workload.architecture, step_flops(workload), tokens / workload.tokens
    pair = architecture.kind == "encoder-decoder"
    row = serving.rule_flops(architecture, workload.inputs, workload.written if pair else 0)
    return TrainingFlops(
        tokens=tokens,
        exact=steps * step.model,
        hardware=steps * step.hardware,
        rule=rule_flops(architecture, tokens),
        by_stacks=steps * workload.accumulation * workload.rows * row,
    )


# ---- time ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeviceTime:
    """How long `devices` of one kind take, at a share of their peak; and at the shares of published runs.

    `price` is that of all device-hours, where the user gave one's: prices change too fast to be kept here.
    """

    flops: float | int
    device: str
    format: Format
    devices: int
    utilisation: float | int
    device_hours: float
    device_hours_range: tuple[float, float]
    price: float | int | None

    @property
    def device_days(self) -> float:
        """Of all devices together."""
        return self.device_hours / 24

    @property
    def days(self) -> float:
        """By the calendar."""
        return self.device_days / self.devices

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "device_days": self.device_days, "days": self.days}


def device_time(
    flops: float | int,
    device: Device,
    *,
    utilisation: float | int = serving.COMPUTE_SHARE,
    devices: int = 1,
    number_format: str | None = None,
    price_per_hour: float | int | None = None,
) -> DeviceTime:
    """Hours = flops / (peak · utilisation · 3600), of model FLOPs and MFU, or of hardware FLOPs and HFU.

    The format is by default the device's 16 bits. `device_hours_range` is at the highest and the lowest published
    MFU. Raises `UsageError` for a format that the device lacks, and numbers outside of their limits.
    """
    if not 0 < utilisation <= 1:
        raise UsageError(
            f"Utilisation is a share of the peak, above 0 and up to 1, got {utilisation}: published runs reach "
            "{:.0%} to {:.0%}.".format(*utilisation_range())
        )
    if devices < 1 or (price_per_hour is not None and price_per_hour < 0):
        raise UsageError(f"A price must not be negative, and there must be a device: got {price_per_hour}, {devices}.")
    chosen = _format(device, number_format)
    at_peak = flops / device.flops_per_second[chosen] / 3600
    low, high = utilisation_range()
    hours = at_peak / utilisation
    price = None if price_per_hour is None else hours * price_per_hour
    return DeviceTime(
        flops, device.name, chosen, devices, utilisation, hours, (at_peak / high, at_peak / low), price
    )  # fmt: skip


def _format(device: Device, wanted: str | None) -> Format:
    if wanted is None:
        return device.half_format
    found = next((name for name in device.flops_per_second if name == wanted), None)
    if found is None:
        formats = list(device.flops_per_second)
        raise UsageError(
            f"The {device.title} has no known rate in '{wanted}'.{nearest(wanted, formats)} It has: "
            f"{', '.join(formats)}."
        )
    return found


# ---- the textbook's rule of thumb ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Equivalence:
    """How many of a device make a petaflop/s, beside what a textbook says; all of them from the data sheet.

    `dense` and `float32` at the full peak, `usual` at 40 % of the dense one; `sparse` with two of four weights zero,
    or None where the device cannot use that.
    """

    device: str
    claimed: int
    dense: float
    sparse: float | None
    usual: float
    float32: float

    @property
    def holds(self) -> bool:
        """Whether as many as are claimed reach a petaflop/s by dense products."""
        return self.claimed >= self.dense - 1e-9

    @property
    def verdict(self) -> str:
        """The honest reading, in a sentence."""
        title = DEVICES[self.device].title
        usual = f"at {serving.COMPUTE_SHARE:.0%} of the peak it takes {self.usual:.3g}, in float32 {self.float32:.3g}"
        if self.holds:
            return f"{self.claimed} {title}: right for dense 16-bit products at the full peak; {usual}."
        sparse = self.sparse is not None and self.claimed >= self.sparse
        only = ", and right only with 2:4 sparsity" if sparse else ""
        return f"{self.claimed} {title}: too few{only}; dense ones at the full peak are {self.dense:.3g}, {usual}."

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the verdict."""
        return {**asdict(self), "holds": self.holds, "verdict": self.verdict}


#: "One petaflop/s-day is 8 V100, or 2 A100, for a day", as textbooks have it.
_CLAIMS: dict[str, int] = {"v100-sxm2-16": 8, "a100-sxm-80": 2}


def textbook_equivalences() -> tuple[Equivalence, ...]:
    """The textbook's rule of thumb, held against the data sheets."""
    return tuple(_equivalence(DEVICES[name], claimed) for name, claimed in _CLAIMS.items())


def _equivalence(device: Device, claimed: int) -> Equivalence:
    dense = 1e15 / device.flops_per_second[device.half_format]
    sparse = dense / _SPARSE if "tensorfloat32" in device.flops_per_second else None  # both came with the same units
    float32 = 1e15 / device.flops_per_second["float32"]
    return Equivalence(device.name, claimed, dense, sparse, dense / serving.COMPUTE_SHARE, float32)
