"""One size of a ladder: a run at a constant rate, and a branch for each token count at which its loss is wanted.

The schedule is warm-up, constant, then a straight line to zero over the last fifth ("wsd", see `train/schedule.py`).
Runs of several lengths have the same steps until their decay, so they are taken once: the longest run passes through
the forks of all others, leaves a checkpoint at each, and every other run is only its own decay from there. To the bit
the same as runs of their own (Hu et al. 2024, "MiniCPM", section 4.3; Hägele et al. 2024), for a part of the steps.

    width-64/
        trunk/                 the longest run, with a checkpoint at each fork
        branch-<steps>/        a shorter one's decay, where it takes long enough for checkpoints
        identity               the fingerprint of all that decides the losses
        points.jsonl           a measured loss a line, as soon as it is there; the checkpoints go when all are
"""

__all__ = ["DECAY", "MeasuredRun", "Rung", "fork", "taken_steps", "train_rung"]

import json
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from trivium.files import atomic_write
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.plan.shapes import shape
from trivium.project.prepare import Material
from trivium.project.stage import fingerprint
from trivium.train.checkpoint import Checkpoints, checkpoint_folders, latest
from trivium.train.loop import train
from trivium.train.loss import head_loss
from trivium.train.machine import memory_errors, peak_memory_bytes
from trivium.train.optimizer import Optimizer, build_optimizer
from trivium.train.precision import Precision, autocast
from trivium.train.progress import Progress
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainState
from trivium.train.stop import Stop
from trivium.train.validation import validate

#: The part of a run over which its rate falls to zero (Hägele et al. 2024 find 10 to 20 % enough).
DECAY = 0.2
_ROWS_AT_ONCE = 16


@dataclass(frozen=True)
class Rung:
    """A size, and the lengths of its runs in steps, ascending. Counts are of one step of `rows` rows, FLOPs exact."""

    dim: int
    depth: int
    parameters: int
    body_parameters: int
    rows: int
    step_tokens: float
    step_flops: float
    step_seconds: float
    steps: tuple[int, ...]

    @property
    def taken_steps(self) -> int:
        """Steps that are really taken: the longest run, and the decay of each other."""
        return taken_steps(self.steps)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Rung":
        """The rung whose `asdict` was kept."""
        return cls(**{**values, "steps": tuple(values["steps"])})


@dataclass(frozen=True)
class MeasuredRun:
    """A run's end: what it read and computed, and its held-out loss in nats a target, with its standard error."""

    dim: int
    parameters: int
    body_parameters: int
    steps: int
    tokens: int
    flops: float
    loss: float
    standard_error: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a line of a file."""
        return asdict(self)


def fork(steps: int) -> int:
    """The step at which a run of `steps` begins to decay, as `learning_rate_multiplier` has it."""
    return steps - round(DECAY * steps)


def taken_steps(lengths: Sequence[int]) -> int:
    """Steps that runs of such lengths, ascending, take together."""
    return lengths[-1] + sum(steps - fork(steps) for steps in lengths[:-1])


def train_rung(
    material: Material,
    rung: Rung,
    settings: Callable[[int], TrainSettings],
    folder: Path,
    held_out_rows: int,
    precision: Precision,
    device: torch.device,
    console: Console | None = None,
    stop: Stop | None = None,
) -> tuple[MeasuredRun, ...] | None:
    """Train what is not yet trained of a rung in `folder`, and return its points, or None where it was stopped before.

    `settings(steps)` are those of a run of so many steps; all share everything but their length.
    """
    climb = _Climb(material, rung, settings, folder, held_out_rows, precision, device, console, stop or Stop())
    _clear_another(folder, climb.identity)
    done = _read(folder / "points.jsonl")
    longest, *shorter = reversed(rung.steps)
    for steps in (longest, *sorted(shorter)):
        if steps not in done:
            measured = climb.run(steps, forks=[fork(other) for other in rung.steps[:-1]] if steps == longest else [])
            if measured is None:
                return None
            done[steps] = measured
            atomic_write(folder / "points.jsonl", "".join(json.dumps(p.to_dict()) + "\n" for p in done.values()))
    for checkpoints in [folder / "trunk", *folder.glob("branch-*")]:
        shutil.rmtree(checkpoints, ignore_errors=True)
    return tuple(done[steps] for steps in rung.steps)


@dataclass(frozen=True)
class _Climb:
    """What all runs of a rung share."""

    material: Material
    rung: Rung
    settings: Callable[[int], TrainSettings]
    folder: Path
    held_out_rows: int
    precision: Precision
    device: torch.device
    console: Console | None
    stop: Stop

    def run(self, steps: int, forks: Sequence[int]) -> MeasuredRun | None:
        """The run of so many steps, from its latest checkpoint, its fork, or the start; it keeps one at each fork."""
        settings = self.settings(steps)
        model, optimizer = self._built(settings)
        trunk = self._checkpoints("trunk")
        own = trunk if steps == self.rung.steps[-1] else self._checkpoints(f"branch-{steps}")
        state = TrainState()
        if kept := latest(own.run_folder):
            state = own.load(kept, model, optimizer)
        elif own.run_folder != trunk.run_folder:
            state = trunk.load(trunk.run_folder / f"checkpoint-{fork(steps)}", model, optimizer)
        for goal in sorted({*(step for step in forks if step > state.step), steps}):
            state = self._advance(model, optimizer, state, settings, own, forks, goal)
            if state.step < goal or (self.stop.requested and goal < steps):
                return None
        loss, error = _measured(model, self._held_out(), self.precision, self.device)
        size = self.rung
        flops = size.step_flops * steps
        return MeasuredRun(size.dim, size.parameters, size.body_parameters, steps, state.tokens, flops, loss, error)

    def _built(self, settings: TrainSettings) -> tuple[Transformer, Optimizer]:
        architecture = shape(
            self.material.family, self.rung.dim, self.material.tokenizer.vocabulary, self.material.length
        )
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(settings.seed)
            model = Transformer(architecture).to(self.device)
        return model, build_optimizer(model, settings, self.precision.dtype)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the losses: a folder with another identity is begun anew."""
        settings = self.settings(self.rung.steps[-1]).trajectory()
        return {
            "train": {**settings, "steps": self.rung.steps},
            "held_out_rows": self.held_out_rows,
            "data": self.material.fingerprint,
            "dim": self.rung.dim,
        }

    def _checkpoints(self, name: str) -> Checkpoints:
        return Checkpoints(self.folder / name, self.identity, keep_last=1_000_000, keep_best=False)

    def _advance(
        self,
        model: Transformer,
        optimizer: Optimizer,
        state: TrainState,
        settings: TrainSettings,
        checkpoints: Checkpoints,
        forks: Sequence[int],
        goal: int,
    ) -> TrainState:
        """Train from `state` to step `goal`, with a checkpoint there, or to the step at which one is asked to stop."""
        reached, pause = [state], Stop()
        title = f"{self.material.family.name} {self.rung.dim} wide, {self.rung.parameters:,} parameters"
        loader, rows = self.material.loader(settings.seed), self.rung.rows

        def save(state: TrainState) -> None:
            checkpoints.save(model, optimizer, state)
            reached.append(state)
            for folder in checkpoint_folders(checkpoints.run_folder)[:-1]:
                if int(folder.name.removeprefix("checkpoint-")) not in forks:
                    shutil.rmtree(folder, ignore_errors=True)

        with Progress(self.console or Console(quiet=True), settings.steps, title=title) as progress, memory_errors():

            def report(row: dict[str, Any]) -> None:
                progress.update(row, peak_memory_bytes(self.device))
                if row["step"] == goal or self.stop.requested:
                    pause.request(self.stop.reason or "the end of a part")

            train(
                model,
                lambda step: loader.micro_batches(step, rows, rows // settings.accumulation),
                head_loss,
                settings,
                optimizer=optimizer,
                state=state,
                precision=self.precision,
                save=save,
                report=report,
                stop=pause,
            )
        if reached[-1].step < goal:
            self.stop.request(pause.reason or "a signal")
        return reached[-1]

    def _held_out(self) -> Iterator[Batch]:
        seed = self.settings(self.rung.steps[-1]).seed
        return self.material.held_out_batches(seed, self.held_out_rows, _ROWS_AT_ONCE)


def _measured(
    model: nn.Module, batches: Iterable[Batch], precision: Precision, device: torch.device
) -> tuple[float, float]:
    """The held-out loss, and its standard error by the spread between batches, which hold whole rows."""
    with autocast(precision, device):
        parts = [validate(model, [batch], head_loss) for batch in batches]
    targets = sum(part.targets for part in parts)
    loss = sum(part.loss * part.targets for part in parts) / targets
    spread = sum((part.targets * (part.loss - loss)) ** 2 for part in parts) / targets**2
    return loss, math.sqrt(spread * len(parts) / max(1, len(parts) - 1))


def _clear_another(folder: Path, identity: Mapping[str, Any]) -> None:
    """Remove what a rung of another plan left in `folder`."""
    mark, path = fingerprint(identity), folder / "identity"
    if not path.is_file() or path.read_text(encoding="utf-8") != mark:
        shutil.rmtree(folder, ignore_errors=True)
        atomic_write(path, mark)


def _read(path: Path) -> dict[int, MeasuredRun]:
    if not path.is_file():
        return {}
    runs = (MeasuredRun(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())
    return {run.steps: run for run in runs}
