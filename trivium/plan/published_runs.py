"""Training runs whose hardware and hours were published, and what share of the hardware's peak they used. No torch.

N: parameters    D: tokens    h: device-hours

model FLOPs utilisation       MFU = 6 N D / (h · 3600 · peak)      the work that the model needs (Chowdhery et al. 2022)
hardware FLOPs utilisation    HFU = FLOPs done / (h · 3600 · peak)     recomputed activations are in it
"""

__all__ = ["PUBLISHED_RUNS", "PublishedRun", "utilisation_range"]

from dataclasses import dataclass

from trivium.plan.devices import DEVICES, Device, Format


@dataclass(frozen=True)
class PublishedRun:
    """One run of a decoder: its size, its tokens, and how long which devices took."""

    name: str
    parameters: float
    tokens: float
    device: str
    device_hours: float | int
    source: str
    format: Format = "bfloat16"

    @property
    def flops(self) -> float:
        """6 N D."""
        return 6.0 * self.parameters * self.tokens

    @property
    def available_flops(self) -> float:
        """What the devices could have done in those hours."""
        device: Device = DEVICES[self.device]
        return self.device_hours * 3600 * device.flops_per_second[self.format]

    @property
    def model_utilisation(self) -> float:
        """MFU."""
        return self.flops / self.available_flops

    def hardware_utilisation(self, flops: float) -> float:
        """HFU, of `flops` that the devices did."""
        return flops / self.available_flops


#: Those whose hours are known.
PUBLISHED_RUNS: dict[str, PublishedRun] = {
    run.name: run
    for run in (
        PublishedRun("llama-7b", 6.738e9, 1.0e12, "a100-sxm-80", 82_432, "Touvron et al. 2023 (2302.13971), table 15"),
        PublishedRun(
            "llama-65b", 65.286e9, 1.4e12, "a100-sxm-80", 1_022_362, "Touvron et al. 2023 (2302.13971), table 15"
        ),
        PublishedRun("bloom-176b", 176.247e9, 366e9, "a100-sxm-80", 1_082_990, "Luccioni et al. 2022 (2211.02001)"),
        PublishedRun("bloomberggpt", 50.559e9, 568.75e9, "a100-sxm-40", 512 * 53 * 24, "Wu et al. 2023 (2303.17564)"),
    )
}


def utilisation_range() -> tuple[float, float]:
    """The lowest and the highest MFU of the published runs."""
    shares = [run.model_utilisation for run in PUBLISHED_RUNS.values()]
    return min(shares), max(shares)
