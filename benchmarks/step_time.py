"""Predicted and measured time of a training step, over the grid of grid.py; writes step_time.md beside itself.

    python benchmarks/step_time.py            a quiet machine; two cores take about five minutes
    python benchmarks/step_time.py --busy     others use it, too: one thread, and the processor's seconds

Predicted in two ways: from a calibration of this machine in twenty seconds, which knows none of the grid's workloads,
and by taking steps of the very workload for a second, on a first way through the grid. Measured on a second way through
it: the median step of a second.

A machine that is shared is faster in one minute than in the next, by more than predictions are off. So one workload is
a yardstick: its steps are timed at the calibration and around every measurement, and every time is also given in turn,
as it would be at the yardstick's speed of the calibration.
"""

import argparse
import datetime
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from grid import grid

from trivium.plan.compute import step_flops
from trivium.plan.machine import measure_machine
from trivium.plan.profile import MachineProfile, predict_step
from trivium.plan.profiling import calibrate, probes
from trivium.plan.trial import Trial
from trivium.plan.workload import Workload

CPU = torch.device("cpu")
SECONDS = 1.0


def median_step(workload: Workload, clock: Callable[[], float]) -> float:
    """Of what fits into a second, two steps at least; the first, which makes the optimizer's states, is left out."""
    trial, taken = Trial(workload, CPU, clock), list[float]()
    trial.step()
    while len(taken) < 2 or sum(taken) < SECONDS:
        taken.append(trial.step())
    return statistics.median(taken)


class Yardstick:
    """One workload whose steps say how fast the machine is now."""

    def __init__(self, workload: Workload, clock: Callable[[], float]) -> None:
        self.trial = Trial(workload, CPU, clock)
        self.trial.step()

    def step(self) -> float:
        """Seconds of a step now: the median of three."""
        return statistics.median(self.trial.step() for _ in range(3))


def described(workload: Workload) -> str:
    """In a table's cell: what differs from the plain one."""
    architecture = workload.architecture
    size = f"{architecture.dim} x {sum(stack.depth for stack in architecture.stacks)}, {architecture.vocab:,}"
    said = {
        "padded": workload.masked,
        workload.precision: workload.precision != "float32",
        workload.optimizer: workload.optimizer != "adamw",
        "checkpointing": workload.activation_checkpointing,
        f"{workload.accumulation} micro-batches": workload.accumulation > 1,
        "" if workload.lora is None else f"LoRA {' '.join(workload.lora.targets)}": workload.lora is not None,
    }
    return f"{architecture.family} {size} | {workload.rows} x {workload.inputs} | " + ", ".join(
        name.replace("*", "") for name, there in said.items() if there
    )


def summary(name: str, predicted: list[float], measured: list[float]) -> str:
    """Median, mean and worst relative error, and how many are within a tenth."""
    errors = [abs(p / m - 1) for p, m in zip(predicted, measured, strict=True)]
    within = sum(error <= 0.1 for error in errors)
    return (
        f"| {name} | {statistics.median(errors):.1%} | {statistics.fmean(errors):.1%} | {max(errors):.1%} "
        f"| {within} of {len(errors)} |"
    )


def report(
    profile: MachineProfile, workloads: list[Workload], passes: list[list[float]], speeds: list[list[float]], clock: str
) -> str:
    """The page. `speeds` are the yardstick's seconds at each measurement over those at the calibration."""
    (timed, measured), (before, now) = passes, speeds
    in_turn = [took / speed for took, speed in zip(measured, now, strict=True)]
    timed_in_turn = [took / speed for took, speed in zip(timed, before, strict=True)]
    predicted = [predict_step(profile, workload) for workload in workloads]
    lines = [
        "# Time of a training step: predicted and measured",
        "",
        f"Written by `python benchmarks/step_time.py` on {datetime.date.today()}: {profile.machine}, "
        f"{profile.threads} threads, torch {profile.torch_version}, Python {platform.python_version()}; "
        f"seconds of the {clock}.",
        "",
        f"The calibration took {profile.seconds:.0f} s for {profile.probes} probes; by its own account, leaving each "
        f"out in turn, it is off by {profile.error:.1%} in the median and {profile.worst_error:.0%} at most.",
        "",
        "| predicted | median error | mean | worst | within 10 % |",
        "|---|---|---|---|---|",
        summary("from the calibration", predicted, measured),
        summary("from a second of the same steps", timed, measured),
        summary("from the calibration, in turn", predicted, in_turn),
        summary("from a second of the same steps, in turn", timed_in_turn, in_turn),
        "",
        "In turn: at the speed that the machine had at the calibration, by a yardstick around every measurement, which "
        f"took {min(now):.2f} to {max(now):.2f} times as long as then.",
        "",
        "Sizes are width x layers, and vocabulary; batches are rows x tokens. GFLOP/s are of all that is done, with "
        "what is recomputed.",
        "",
        "| model | batch | settings | measured ms | yardstick | calibration, in turn | a second, in turn | GFLOP/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for workload, wanted, second, took, speed in zip(workloads, predicted, timed_in_turn, measured, now, strict=True):
        rate, turned = step_flops(workload).hardware / took / 1e9, took / speed
        lines.append(
            f"| {described(workload)} | {took * 1e3:.1f} | {speed:.2f} | {wanted / turned - 1:+.1%} "
            f"| {second / turned - 1:+.1%} | {rate:.1f} |"
        )
    lines += ["", "Seconds of a unit of each kind of work:", "", "| work | seconds |", "|---|---|"]
    lines += [f"| {name} | {weight:.2e} |" for name, weight in profile.weights.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", action="store_true", help="one thread, and the processor's seconds")
    parser.add_argument("--every", type=int, default=1, help="take every n-th workload of the grid alone")
    asked = parser.parse_args()
    clock = time.process_time if asked.busy else time.perf_counter
    if asked.busy:
        torch.set_num_threads(1)
    begin, workloads = time.perf_counter(), grid()[:: asked.every]
    machine, yardstick = measure_machine(CPU), Yardstick(workloads[0], clock)
    start = yardstick.step()
    profile = calibrate(machine, probes(machine), 20, lambda line: print(line, file=sys.stderr), clock)
    usual = statistics.fmean((start, yardstick.step()))
    passes: list[list[float]] = []
    speeds: list[list[float]] = []
    for number in (1, 2):
        passes.append([])
        speeds.append([])
        for index, workload in enumerate(workloads, 1):
            first = yardstick.step()
            passes[-1].append(median_step(workload, clock))
            speeds[-1].append(statistics.fmean((first, yardstick.step())) / usual)
            print(f"way {number}: {index} of {len(workloads)}", file=sys.stderr)
    text = report(profile, workloads, passes, speeds, "processor" if asked.busy else "wall")
    if asked.every == 1:
        (Path(__file__).parent / "step_time.md").write_text(text, encoding="utf-8")
    print(text)
    print(f"{time.perf_counter() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
