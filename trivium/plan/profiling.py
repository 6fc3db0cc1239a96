"""The calibration of this machine, in about twenty seconds: real steps of small models, and weights that explain them.

Each of `probes` leans on another kind of work. Weights are not negative, and minimise Σ (predicted / taken − 1)² over
the probes: relative errors, so that short steps count as much as long ones. Each probe is then predicted from the
others, and what that misses is the profile's own error.
"""

__all__ = ["Report", "calibrate", "fit_weights", "left_out_errors", "machine_profile", "probes"]

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import nnls

from trivium.adapt.lora import Lora
from trivium.families.registry import FAMILIES
from trivium.plan.machine import Machine, measure_machine
from trivium.plan.profile import MachineProfile, load_profile, profile_file, save_profile
from trivium.plan.step_features import FEATURES, step_features
from trivium.plan.trial import Trial
from trivium.plan.workload import Workload
from trivium.train.machine import keep_freed_memory

Report = Callable[[str], None]

_SECONDS = 20.0
#: Rates from which on models are widened by the factor, so that a device is not measured by its launching alone.
_FAST: tuple[tuple[float, int], ...] = ((1e13, 4), (1e12, 2), (0.0, 1))


def probes(machine: Machine) -> list[Workload]:
    """The workloads of the calibration, sized by the machine's rate; bfloat16's are tiny where it is emulated."""
    rate = machine.precision.float32_flops_per_second or machine.flops_per_second
    half = machine.precision.bfloat16_flops_per_second or 0.0
    scale = next(factor for least, factor in _FAST if rate >= least)

    def probe(family: str, dim: int, depth: int, vocab: int, rows: int, inputs: int, **settings: object) -> Workload:
        model = FAMILIES[family].preset(
            vocab=vocab, dim=dim * scale, depth=depth, heads=max(1, dim * scale // 64), positions=1024
        )
        if model.kind == "encoder":
            settings = {"targets": max(1, rows * scale * inputs // 8), **settings}
        return Workload(model, rows=rows * scale, inputs=inputs, **settings)  # type: ignore[arg-type]

    tokens, layers = (128, 2) if half >= rate else (64, 1)
    return [
        *(probe("gpt2", *shape) for shape in _DECODERS),
        *(probe("bert", *shape) for shape in _ENCODERS),
        *(probe("t5", *shape, outputs=96) for shape in _PAIRS),
        probe("bart", 192, 2, 4096, 4, 128, outputs=32),
        probe("llama", 192, 3, 4096, 4, 128),
        probe("bloom", 128, 3, 1024, 4, 192),
        probe("gpt2", 128, 2, 1024, 2, 384, masked=True),
        probe("bert", 256, 2, 1024, 4, 128, masked=True),
        probe("gpt2", 256, 2, 1024, 1, 32, optimizer="muon"),
        probe("bert", 128, 3, 1024, 4, 64, optimizer="muon"),
        probe("gpt2", 64, layers, 512, 1, tokens, precision="bfloat16"),
        probe("bert", 128, layers, 512, 1, tokens, precision="bfloat16"),
        probe("gpt2", 256, 2, 1024, 4, 128, activation_checkpointing=True),
        probe("bert", 256, 2, 1024, 4, 128, lora=Lora()),
        probe("bert", 128, 2, 1024, 2, 64, accumulation=4),
    ]


#: Width, depth, vocabulary, rows and tokens of a row: wide, deep, long, with a large vocabulary, or with few tokens.
_DECODERS = (
    (128, 2, 1024, 8, 128),
    (256, 3, 1024, 4, 128),
    (512, 2, 1024, 2, 128),
    (128, 2, 16_384, 4, 64),
    (320, 2, 8192, 8, 64),
    (256, 2, 1024, 1, 512),
    (64, 6, 1024, 2, 32),
    (384, 3, 4096, 1, 16),
)
_ENCODERS = ((256, 2, 8192, 8, 64), (128, 2, 1024, 1, 512))
_PAIRS = ((128, 2, 1024, 1, 384), (128, 2, 1024, 3, 256), (256, 2, 4096, 4, 96))


def calibrate(
    machine: Machine,
    workloads: Sequence[Workload],
    seconds: float | int,
    report: Report = lambda line: None,
    clock: Callable[[], float] = time.perf_counter,
) -> MachineProfile:
    """Time steps of each workload for its part of `seconds`, two at least after the first, and fit the weights.

    The process keeps freed memory from then on, as a run does: else its steps would be slower than a run's. `clock` is
    that of a `Trial`.
    """
    keep_freed_memory()
    device, begin, taken = torch.device(machine.device), clock(), []
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        for number, workload in enumerate(workloads, 1):
            taken.append(_median_step(workload, device, seconds / len(workloads), clock))
            report(
                f"probe {number} of {len(workloads)}: {workload.architecture.family}, {taken[-1] * 1e3:.1f} ms a step"
            )
    features, times = np.array([step_features(workload) for workload in workloads]), np.array(taken)
    errors = np.abs(left_out_errors(features, times))
    return MachineProfile(
        machine=machine.name,
        device=machine.device,
        threads=machine.threads,
        torch_version=str(torch.__version__),
        weights=dict(zip(FEATURES, fit_weights(features, times).tolist(), strict=True)),
        error=float(np.median(errors)),
        worst_error=float(errors.max()),
        probes=len(workloads),
        seconds=clock() - begin,
    )


def _median_step(workload: Workload, device: torch.device, seconds: float, clock: Callable[[], float]) -> float:
    begin, taken = clock(), list[float]()
    trial = Trial(workload, device, clock)
    trial.step()  # the first one makes the optimizer's states
    while len(taken) < 2 or clock() - begin < seconds:
        taken.append(trial.step())
    return statistics.median(taken)


def fit_weights(features: Float[np.ndarray, "P F"], seconds: Float[np.ndarray, "P"]) -> np.ndarray:
    """The weights w ≥ 0 that minimise Σ_p (Σ_f w_f x_pf / t_p − 1)², of P probes and F features."""
    largest = np.maximum(features.max(axis=0), 1e-30)  # features differ by ten orders of magnitude
    weights, _ = nnls(features / largest / seconds[:, None], np.ones(len(seconds)))
    found: np.ndarray = weights / largest
    return found


def left_out_errors(features: Float[np.ndarray, "P F"], seconds: Float[np.ndarray, "P"]) -> Float[np.ndarray, "P"]:
    """What each probe is mispredicted by from all the others, relative to what it took."""
    left = range(len(seconds))
    predicted = [
        features[i] @ fit_weights(np.delete(features, i, axis=0), np.delete(seconds, i)) / seconds[i] for i in left
    ]
    return np.array(predicted) - 1


def machine_profile(
    device: torch.device, *, fresh: bool = False, report: Report = lambda line: None, cache: Path | None = None
) -> MachineProfile:
    """Of this machine, from the cache folder; measured now where there is none for this torch and its threads.

    `fresh` measures it anyway. Raises `StorageError` where it cannot be kept.
    """
    machine = measure_machine(device)
    file = profile_file(machine.name, machine.device, machine.threads, str(torch.__version__), cache)
    found = None if fresh else load_profile(file)
    if found is None:
        report(f"calibrating {machine.name}: about {_SECONDS:.0f} seconds, once")
        found = calibrate(machine, probes(machine), _SECONDS, report)
        save_profile(found, file)
    return found
