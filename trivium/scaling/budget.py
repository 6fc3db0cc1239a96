"""A budget of training as people write it, read into FLOPs. No torch.

    1e21 flops · 1e21 · 2 pf-days          FLOPs as such; a petaflop/s-day is 8.64e19 (Kaplan et al. 2020, section 1.3)
    8xh100 for 3 days · 1 week on a10      devices · seconds · peak in 16 bits · utilisation
    10 minutes here                        the same with this machine, whose peak is an argument

The utilisation is the share of the peak that training reaches: published runs have 24 to 48 %.
"""

__all__ = ["FORMS", "UTILISATION", "Budget", "counted_device", "parse_budget"]

import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from trivium.errors import UsageError, nearest
from trivium.plan.devices import DEVICES, Device
from trivium.plan.serving import COMPUTE_SHARE
from trivium.scaling.kaplan import FLOPS_OF_A_PETAFLOP_DAY

#: What a person may write.
FORMS = '"1e21 flops", "2 pf-days", "8xh100 for 3 days" or "10 minutes here"'

#: The share of the peak unless told.
UTILISATION = COMPUTE_SHARE

#: Which of several is meant by a short name: the form that servers of many have.
_USUAL = {
    "v100": "v100-sxm2-32",
    "a100": "a100-sxm-80",
    "a10040": "a100-sxm-40",
    "a10080": "a100-sxm-80",
    "h100": "h100-sxm",
    "h200": "h200-sxm",
}

_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 604_800.0),
}

_SHOWN = ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))

_NUMBER = r"(\d[\d,_]*(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+)"
_FLOPS = re.compile(rf"{_NUMBER}\s*(?:flops?)?")
_PETAFLOP_DAYS = re.compile(rf"{_NUMBER}\s*(?:pf|petaflops?|pflops?)\s*(?:/\s*)?s?[\s-]*days?")
_TIME_HERE = re.compile(r"(.+?)\s+(?:on\s+)?here")
_DEVICES_FOR = re.compile(r"(.+?)\s+for\s+(.+)")
_TIME_ON = re.compile(r"(.+?)\s+on\s+(.+)")
_COUNTED = re.compile(r"(?:(\d+)\s*[x×*]?\s+|(\d+)\s*[x×*]\s*)?(\S.*)")
_SPAN = re.compile(rf"{_NUMBER}\s*([a-z]+)")


@dataclass(frozen=True)
class Budget:
    """FLOPs of training, and where they come from: `devices` of one kind for `seconds`, all None where FLOPs were said.

    `utilisation` is the share of the devices' peak that was counted; `text` says the budget in full.
    """

    flops: float
    text: str
    device: Device | None = None
    devices: int | None = None
    seconds: float | None = None
    utilisation: float | None = None

    @property
    def petaflop_days(self) -> float:
        """In petaflop/s-days."""
        return self.flops / FLOPS_OF_A_PETAFLOP_DAY

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        device = None if self.device is None else self.device.name
        return {**asdict(self), "device": device, "petaflop_days": self.petaflop_days}


def parse_budget(
    text: str, utilisation: float | int = UTILISATION, here: Callable[[], Device] | Device | None = None
) -> Budget:
    """Read a budget. `here` is this machine, or what measures it (`trivium.plan.devices.measured_device`).

    Nothing is measured unless the text says "here". Raises `UsageError` for a text in no form that is known, a number
    that is none, a device that is not there, and for "here" where `here` is not given.
    """
    if not 0 < utilisation <= 1:
        raise UsageError(f"A utilisation is a share of the peak, above 0 and at most 1, got {utilisation}.")
    said = " ".join(text.lower().split())
    if found := _PETAFLOP_DAYS.fullmatch(said):
        amount = _positive(found[1], text)
        return Budget(amount * FLOPS_OF_A_PETAFLOP_DAY, f"{amount:g} petaflop/s-days")
    if found := _FLOPS.fullmatch(said):
        amount = _positive(found[1], text)
        return Budget(amount, f"{amount:g} FLOPs")
    if found := _TIME_HERE.fullmatch(said):
        return _of_devices(1, _here(here), _seconds(found[1], text), float(utilisation))
    if found := _DEVICES_FOR.fullmatch(said):
        count, device = counted_device(found[1], here)
        return _of_devices(count, device, _seconds(found[2], text), float(utilisation))
    if found := _TIME_ON.fullmatch(said):
        count, device = counted_device(found[2], here)
        return _of_devices(count, device, _seconds(found[1], text), float(utilisation))
    raise UsageError(f"'{text}' is no budget that can be read. {_hint(said)}Write {FORMS}.")


def _of_devices(count: int, device: Device, seconds: float, utilisation: float) -> Budget:
    peak = device.flops_per_second[device.half_format]
    words = f"{count} x {device.title} for {_said(seconds)} at {utilisation:.0%} of {peak / 1e12:.4g} TFLOP/s"
    return Budget(count * peak * utilisation * seconds, words, device, count, seconds, utilisation)


def _said(seconds: float) -> str:
    size, name = next((unit for unit in _SHOWN if seconds >= unit[0]), _SHOWN[-1])
    return f"{seconds / size:.3g} {name}{'' if seconds == size else 's'}"


def _hint(said: str) -> str:
    if re.search(r"flops?\s*/\s*s|flops? per", said) and "day" not in said:
        return "FLOP/s are a speed, which says nothing without a time. "
    if re.fullmatch(r"\d+\s*[x×*].*", said):
        return f'Devices need a time: "{said} for 3 days". '
    try:
        _seconds(said, said)
    except UsageError:
        return ""
    return f'A time alone needs what computes: "{said} here" or "{said} on 8xh100". '


def _positive(written: str, text: str) -> float:
    value = float(written.replace(",", "").replace("_", ""))
    if not 0 < value < math.inf:
        raise UsageError(f"The budget '{text}' has the number {written}, and needs one above 0 that is finite.")
    return value


def _seconds(written: str, text: str) -> float:
    """Of one span or several: "36h", "1 day 12 hours"."""
    spans = _SPAN.findall(written)
    if not spans or re.sub(r"[\s,]|\band\b", "", _SPAN.sub("", written)):
        raise UsageError(
            f"The budget '{text}' has no time that can be read in '{written}'. Write a number and one of s, min, h, "
            "days, weeks, such as 3 days or 1 day 12 h."
        )
    for _, unit in spans:
        if unit not in _SECONDS:
            near = nearest(unit, _SECONDS) if unit != "m" else " Did you mean 'min'?"
            raise UsageError(f"'{unit}' in the budget '{text}' is no unit of time.{near} There are s, min, h, d, w.")
    return sum(_positive(number, text) * _SECONDS[unit] for number, unit in spans)


def counted_device(written: str, here: Callable[[], Device] | Device | None = None) -> tuple[int, Device]:
    """How many devices of which kind: "8xh100", "h100", "2 here". Raises `UsageError` as `parse_budget` does."""
    found = _COUNTED.fullmatch(" ".join(written.lower().split()))
    if found is None:
        raise UsageError("There is no device without a name: write h100, 8xh100 or here.")
    name = found[3].strip()
    return int(_positive(found[1] or found[2] or "1", written)), _here(here) if name == "here" else _device(name)


def _device(name: str) -> Device:
    """By its name, its short name, or its end, however it is spelled: "A100 80GB", "h100s", "4090"."""
    key = re.sub(r"[^a-z0-9]|gb$", "", name)
    for wanted in (key, key.removesuffix("s")):
        wanted = _USUAL.get(wanted, wanted).replace("-", "")
        written = {device.name.replace("-", ""): device for device in DEVICES.values()}
        found = [device for name, device in written.items() if wanted == name]
        found = found or [device for name, device in written.items() if wanted and name.endswith(wanted)]
        if found:
            return found[0]
    raise UsageError(
        f"There is no device '{name}'.{nearest(name, [*_USUAL, *DEVICES])} There are: {', '.join(DEVICES)}, and here. "
        'For another, give its FLOPs: "1e21 flops".'
    )


def _here(here: Callable[[], Device] | Device | None) -> Device:
    if here is None:
        raise UsageError(
            "A budget 'here' needs this machine's speed, and none was given: pass here=measured_device of "
            "trivium.plan.devices, which measures it in a fraction of a second."
        )
    return here if isinstance(here, Device) else here()
