"""A ladder from the project file to the prediction, and to what the large run then measured.

    runs/quickstart/ladder-gpt2/
        tokenizers/, shards/    made from the data once, for the rungs and the large run
        ladder/plan.json        the rungs, and this machine
        ladder/width-64/        a folder a size (`rungs.py`)
        ladder/points.jsonl     every measured loss: a table for `trivium fit points`
        ladder/fit.json         the law
        prediction.json         the large run and its predicted loss, written before it is trained
        target.yaml             the large run, for `trivium run`; its report shows predicted and measured
        gpt2/, report.html      the large run, once it is there

Stopped at any point, the same command goes on there; what is finished is only read.
"""

__all__ = ["LadderResult", "run_ladder"]

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from rich.console import Console

from trivium.errors import UsageError
from trivium.files import atomic_write
from trivium.plan.machine import Machine, measure_machine
from trivium.project.evaluation import bigram_of, bigram_score
from trivium.project.ladder import Design, LadderPlan, ladder_project, ladder_settings, plan_ladder
from trivium.project.ladder_fit import Forecast, Target, forecast, frontier, target_for
from trivium.project.ladder_report import ladder_figure
from trivium.project.prepare import Material, prepare
from trivium.project.read import dump_project
from trivium.project.run import run_project
from trivium.project.rungs import MeasuredRun, train_rung
from trivium.project.schema import Project
from trivium.project.stage import fingerprint, kept
from trivium.scaling.budget import parse_budget
from trivium.train.machine import keep_freed_memory
from trivium.train.stop import Stop

_TIMES = re.compile(r"(\d+(?:\.\d+)?)\s*[x×]")
_MINUTES_HERE = re.compile(r"(\d+(?:\.\d+)?)\s*min(?:ute)?s?(?:\s+here)?")


@dataclass(frozen=True)
class LadderResult:
    """What was planned, measured and predicted; `measured` is the large run's held-out loss once it is trained.

    `runs`, `forecast` and `target` are empty where it was stopped before. `frontier` is the law's lowest loss for some
    amounts of compute, as pairs; `bigram` a bigram's loss on the held-out text, where the family is of decoders.
    """

    family: str
    out: Path
    plan: LadderPlan
    runs: tuple[MeasuredRun, ...] = ()
    forecast: Forecast | None = None
    target: Target | None = None
    measured: float | None = None
    frontier: tuple[tuple[float, float], ...] = ()
    bigram: float | None = None

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to keep in mind of the prediction."""
        said = () if self.forecast is None else self.forecast.fit.warnings
        above = [run for run in self.runs if self.bigram is not None and run.loss > self.bigram]
        if len(above) < len(self.runs) / 3 or self.bigram is None:
            return said
        return (
            f"{len(above)} of {len(self.runs)} runs lose more than a bigram ({self.bigram:.3f} nats): they have "
            "hardly begun to use the context, and what the large run gains by it is in no loss here. It may end far "
            "below the prediction. Give more minutes.",
            *said,
        )

    @property
    def error(self) -> float | None:
        """Measured over predicted loss, less one."""
        return None if self.measured is None or self.target is None else self.measured / self.target.loss - 1

    def plot(self) -> Figure:
        """Loss against compute: the rungs, the law, the prediction and, once it is there, the outcome."""
        found, target = self.forecast, self.target
        assert found is not None
        assert target is not None
        title = f"{self.family}: {len(self.plan.rungs)} small sizes, and a run of {target.times:.3g} times the compute"

        def law(run: MeasuredRun, tokens: float) -> float:
            return found.law(run.parameters, run.body_parameters, tokens)

        return ladder_figure(title, self.runs, law, self.frontier, target, self.measured)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "family": self.family,
            "out": str(self.out),
            "plan": {**self.plan.to_dict(), "seconds": self.plan.seconds, "flops": self.plan.flops},
            "runs": [run.to_dict() for run in self.runs],
            "forecast": None if self.forecast is None else self.forecast.to_dict(),
            "target": None if self.target is None else self.target.to_dict(),
            "measured": self.measured,
            "error": self.error,
            "bigram": self.bigram,
            "cautions": list(self.cautions),
            "frontier": [list(pair) for pair in self.frontier],
        }


def run_ladder(
    project: Project,
    family: str,
    minutes: float | int,
    target: str = "8x",
    *,
    out: Path | None = None,
    design: Design | None = None,
    run_target: bool = False,
    console: Console | None = None,
    stop: Stop | None = None,
) -> LadderResult:
    """Train the ladder of one family within `minutes`, predict the run of `target`, and with `run_target` train it.

    `target` is a multiple of the largest rung's compute ("8x"), minutes of this machine ("20 minutes here"), or any
    budget that `parse_budget` reads ("1e15 flops", "8xh100 for 3 days"). Raises a `TriviumError` for whatever a user
    can mend.
    """
    stop, out = stop or Stop(), out or project.scope.out / f"ladder-{family}"
    project = ladder_project(project, family, out)
    if not 0 < minutes < 1e6:
        raise UsageError(f"A ladder of {minutes} minutes cannot be: give a number above 0.")
    flops_of = _budget(target)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    keep_freed_memory()
    (material,) = prepare(project, console)
    machine, plan = _planned(project, material, device, minutes, design or Design(), console)
    runs: list[MeasuredRun] = []
    for number, rung in enumerate(plan.rungs):
        folder = out / "ladder" / f"width-{rung.dim}"
        settings = ladder_settings(project, material, rung)
        made = train_rung(
            material, rung, settings, folder, plan.held_out_rows, machine.precision, device, console, stop
        )
        if made is None:
            return LadderResult(family, out, plan, tuple(runs))
        runs += made
        _say(console, f"rung {number + 1} of {len(plan.rungs)}, {_losses(made)}")
    atomic_write(out / "ladder" / "points.jsonl", "".join(json.dumps(_point(run)) + "\n" for run in runs))
    found = forecast(runs)
    found.fit.save(out / "ladder" / "fit.json")
    large = target_for(found, material, plan, flops_of(plan), project.model.tokens_per_parameter)
    atomic_write(out / "prediction.json", json.dumps({family: large.to_dict()}, indent=1) + "\n")
    wanted = _target_project(project, plan, large)
    atomic_write(out / "target.yaml", dump_project(wanted))
    if run_target:
        run_project(wanted, console=console, stop=stop)
    decoder = material.family.kind == "decoder"
    bigram = bigram_score(bigram_of(material), material).loss if decoder else None
    reach = np.geomspace(min(run.flops for run in runs), 1.5 * large.flops, 40).tolist()
    edge = tuple(zip(reach, frontier(found, material, plan, reach), strict=True))
    return LadderResult(family, out, plan, tuple(runs), found, large, _measured_loss(out, family, large), edge, bigram)


def _planned(
    project: Project,
    material: Material,
    device: torch.device,
    minutes: float | int,
    design: Design,
    console: Console | None,
) -> tuple[Machine, LadderPlan]:
    """Measured and decided once, and kept."""

    def make() -> dict[str, Any]:
        _say(console, "timing steps of small models ...")
        machine = measure_machine(device, project.train.get("precision", "auto"))
        plan = plan_ladder(project, material, machine, device, 60 * minutes, design)
        return {"machine": machine.to_dict(), "plan": plan.to_dict()}

    asked = {"train": project.train, "seed": project.scope.seed, "minutes": minutes, "design": asdict(design)}
    inputs = fingerprint(material.fingerprint, material.family.name, asked)
    plan = kept(project.scope.out / "ladder" / "plan.json", inputs, make)
    return Machine.from_dict(plan["machine"]), LadderPlan.from_dict(plan["plan"])


def _budget(target: str) -> Callable[[LadderPlan], float]:
    """The FLOPs of the large run, which may be in terms of the plan."""
    said = target.strip().lower()
    if found := _TIMES.fullmatch(said):
        times = float(found[1])
        return lambda plan: times * plan.largest_flops
    if found := _MINUTES_HERE.fullmatch(said):
        seconds = 60 * float(found[1])
        return lambda plan: seconds * plan.flops_per_second
    flops = parse_budget(target).flops
    return lambda plan: flops


def _target_project(project: Project, plan: LadderPlan, target: Target) -> Project:
    """The large run as a project file. Half a step less, so that rounding up gives the target's steps."""
    tokens = target.tokens * (1 - 0.5 / target.steps)
    model = {"dim": target.dim, "tokens_per_parameter": tokens / target.parameters}
    scope = {"name": f"{project.scope.name}, the large run", "minutes": max(1.0, 2 * target.seconds / 60)}
    return project.model_copy(
        update={
            "scope": project.scope.model_copy(update=scope),
            "model": project.model.model_copy(update=model),
            "evaluate": project.evaluate.model_copy(update={"rows": plan.held_out_rows}),
        }
    )


def _measured_loss(out: Path, family: str, target: Target) -> float | None:
    """The held-out loss of the large run, where it is finished and is the one that was predicted."""
    try:
        (model,) = json.loads((out / "plan.json").read_text(encoding="utf-8"))["result"]["models"]
        evaluation = json.loads((out / family / "evaluation.json").read_text(encoding="utf-8"))["result"]
    except (OSError, ValueError, KeyError):
        return None
    same = model["quote"]["dim"] == target.dim and abs(model["quote"]["steps"] / target.steps - 1) < 0.01
    return float(evaluation["score"]["validation"]["loss"]) if same else None


def _point(run: MeasuredRun) -> dict[str, Any]:
    """A row of the table, under the names that `trivium fit points` reads."""
    values = run.to_dict()
    return {"params": values.pop("parameters"), **values, "run": f"width {run.dim}"}


def _losses(runs: Sequence[MeasuredRun]) -> str:
    losses = ", ".join(f"{run.loss:.3f} after {run.tokens / 1e6:.3g} M tokens" for run in runs)
    return f"{runs[0].parameters:,} parameters: {losses}"


def _say(console: Console | None, text: str) -> None:
    if console:
        console.print(text, highlight=False, soft_wrap=True)
