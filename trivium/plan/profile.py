"""What this machine takes for each kind of work, and from it the time of a step of any workload. No torch.

seconds = Σ weight_i · feature_i        features as `step_features` counts them, weights as `profiling` fits them
"""

__all__ = ["MachineProfile", "load_profile", "predict_step", "profile_file", "save_profile"]

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trivium.data.packages import default_cache
from trivium.files import storage_errors
from trivium.plan.step_features import FEATURES, step_features
from trivium.plan.workload import Workload


@dataclass(frozen=True)
class MachineProfile:
    """A machine, by the seconds that a unit of each kind of work takes it.

    `error` is the median, and `worst_error` the largest, of what a probe was mispredicted by when it was left out of
    the fit, relative to what it took. `seconds` is what the calibration took.
    """

    machine: str
    device: str
    threads: int
    torch_version: str
    weights: Mapping[str, float]
    error: float
    worst_error: float
    probes: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report and for the disk."""
        return {**asdict(self), "weights": dict(self.weights)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "MachineProfile":
        """The profile that `to_dict` gave. Raises `KeyError` where something is missing."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})


def predict_step(profile: MachineProfile, workload: Workload) -> float:
    """Seconds of a step on the profile's machine; `profile.error` says how far off that may be."""
    pairs = zip(FEATURES, step_features(workload), strict=True)
    return sum(profile.weights[name] * amount for name, amount in pairs)


def profile_file(machine: str, device: str, threads: int, torch_version: str, cache: Path | None = None) -> Path:
    """Where the profile of such a machine is kept: in the user's cache folder."""
    words = re.sub(r"[^a-z0-9.]+", "-", f"{machine} {device} {threads} threads torch {torch_version}".lower())
    return (cache or default_cache()) / "profiles" / f"{words.strip('-')}.json"


def load_profile(file: Path) -> MachineProfile | None:
    """The profile in a file; None where there is none, or one of another version of Trivium."""
    try:
        found = MachineProfile.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if tuple(found.weights) == FEATURES else None


def save_profile(profile: MachineProfile, file: Path) -> None:
    """Keep a profile, whole or not at all."""
    with storage_errors(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part")
        unfinished.write_text(json.dumps(profile.to_dict(), indent=2), encoding="utf-8")
        unfinished.replace(file)
