"""A project from its file to its report. Stopped at any point, it goes on there; what is finished is not done again.

runs/quickstart/
    project.yaml          the resolved file: give it back to `trivium run`
    tokenizers/, shards/  made from the data once
    plan.json             the machine, and the quote of each model
    bert/, gpt2/, t5/     a run folder each, which `AutoModel.from_pretrained` opens
    report.html           expected and measured, curves, samples
"""

__all__ = ["ProjectResult", "run_project"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from trivium.files import atomic_write
from trivium.plan.machine import Machine, free_memory_bytes, measure_machine
from trivium.plan.quote import Bill, Quote
from trivium.plan.shapes import shapes
from trivium.project.estimate import Estimate, estimate
from trivium.project.evaluation import evaluate_one
from trivium.project.expected_loss import expected_loss
from trivium.project.fits import require_memory
from trivium.project.prepare import Material, prepare
from trivium.project.read import dump_project
from trivium.project.report import render_report, report_context
from trivium.project.schema import Project
from trivium.project.stage import fingerprint, kept
from trivium.project.training import train_one
from trivium.train.machine import keep_freed_memory
from trivium.train.metrics import read_metrics
from trivium.train.run import first_quote, read_result
from trivium.train.state import TrainResult
from trivium.train.stop import Stop
from trivium.versions import versions


@dataclass(frozen=True)
class ProjectResult:
    """What was planned and done, as plain data; `finished` where every model is trained and the report is written."""

    finished: bool
    out: Path
    content: Mapping[str, Any]

    @property
    def report(self) -> Path:
        """The page."""
        return self.out / "report.html"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"finished": self.finished, "out": str(self.out), **self.content}


def run_project(
    project: Project,
    *,
    dry_run: bool = False,
    force: bool = False,
    console: Console | None = None,
    stop: Stop | None = None,
) -> ProjectResult:
    """Prepare, plan, train each model, evaluate, report; with `dry_run`, prepare and plan only.

    Raises a `TriviumError` for whatever a user can mend; everything written before stays, and the next call goes on.
    A step that does not fit the memory is a `BudgetError` before anything of it is allocated; with `force` a warning.
    """
    out, stop = project.scope.out, stop or Stop()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    keep_freed_memory()
    if not dry_run:
        atomic_write(out / "project.yaml", dump_project(project))
    materials = prepare(project, console)
    warn = _warner(console) if force else None
    machine, estimates = _plan(project, materials, device, console, warn)
    content: dict[str, Any] = {
        "project": project.model_dump(mode="json"),
        "versions": versions(),
        "machine": machine.to_dict(),
        "models": [{"quote": each.quote.to_dict()} for each in estimates],
    }
    if dry_run:
        return ProjectResult(False, out, content)
    models = []
    for material, each in zip(materials, estimates, strict=True):
        folder = out / material.family.name
        if read_result(folder) is None:
            _check_memory(material, each, machine, device, warn)
        result = train_one(project, material, each, folder, device, console, stop)
        if not result.finished:
            return ProjectResult(False, out, content)
        models.append(_finished(project, material, each, result, folder, device))
    content["models"] = models
    metrics = {model["quote"]["name"]: read_metrics(out / model["quote"]["name"] / "metrics.jsonl") for model in models}
    page = {**content, "project_file": dump_project(project)}
    atomic_write(out / "report.html", render_report(report_context(page, metrics)))
    return ProjectResult(True, out, content)


def _warner(console: Console | None) -> Callable[[str], None]:
    return lambda text: console.print(f"warning: {text}", highlight=False) if console else None


def _plan(
    project: Project,
    materials: list[Material],
    device: torch.device,
    console: Console | None,
    warn: Callable[[str], None] | None,
) -> tuple[Machine, list[Estimate]]:
    """Measured and decided once, and kept: a project that goes on keeps its plan."""
    asked = project.model_dump(mode="json", exclude={"evaluate": True, "scope": {"name", "about", "out"}})

    def make() -> dict[str, Any]:
        if console:
            console.print("measuring this machine and timing steps ...", highlight=False)
        machine = measure_machine(device, project.train.get("precision", "auto"))
        left, made = project.scope.minutes * 60, []
        for number, material in enumerate(materials):
            made.append(estimate(project, material, machine, device, left / (len(materials) - number), warn))
            left -= made[-1].quote.whole_seconds
        return {"machine": machine.to_dict(), "models": [each.to_dict() for each in made]}

    inputs = fingerprint(asked, [material.fingerprint for material in materials])
    out = project.scope.out
    plan = kept(out / "plan.json", inputs, make)
    made = [Estimate.from_dict(each) for each in plan["models"]]
    return Machine.from_dict(plan["machine"]), [each.with_loss(expected_loss(out, each.quote)) for each in made]


def _check_memory(
    material: Material, each: Estimate, machine: Machine, device: torch.device, warn: Callable[[str], None] | None
) -> None:
    """Against what is free now: the plan may be of a time when it was more."""
    ladder = tuple(shapes(material.family, material.tokenizer.vocabulary, material.length))
    require_memory(each.workload(material, machine.precision), free_memory_bytes(device), ladder, warn)


def _finished(
    project: Project, material: Material, each: Estimate, result: TrainResult, folder: Path, device: torch.device
) -> dict[str, Any]:
    """A trained model with its bill and its evaluation, which is made once."""
    asked = fingerprint(project.evaluate.model_dump(mode="json"), material.fingerprint, result.to_dict())
    evaluation = kept(folder / "evaluation.json", asked, lambda: evaluate_one(project, material, folder, device))
    quote = Quote.from_dict(first_quote(folder) or each.quote.to_dict())
    consumed = material.loader(project.scope.seed).consumed(result.steps, each.quote.rows)
    return {
        "quote": quote.to_dict(),
        "bill": Bill.of(quote, result, evaluation["score"]["validation"]["loss"]).to_dict(),
        "result": result.to_dict(),
        "evaluation": evaluation,
        "data": {"tokenizer": material.tokenizer_facts, "consumed": consumed.to_dict()},
    }
