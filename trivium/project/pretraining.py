"""The models that a project pretrains: prepared, planned, trained, evaluated, each once."""

__all__ = ["pretrain"]

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from trivium.plan.machine import Machine, free_memory_bytes, measure_machine
from trivium.plan.quote import Bill, Quote
from trivium.plan.shapes import shapes
from trivium.project.estimate import Estimate, estimate
from trivium.project.evaluation import evaluate_one
from trivium.project.expected_loss import expected_loss
from trivium.project.fits import require_memory
from trivium.project.prepare import Material, prepare
from trivium.project.schema import PRETRAINING, Project
from trivium.project.stage import fingerprint, kept
from trivium.project.training import train_one
from trivium.train.run import first_quote, read_result
from trivium.train.state import TrainResult
from trivium.train.stop import Stop


def pretrain(
    project: Project, device: torch.device, stop: Stop, *, dry_run: bool, force: bool, console: Console | None
) -> tuple[dict[str, Any], bool]:
    """What was planned and done, as plain data, and whether all of it is; with `dry_run` it only prepares and plans.

    Raises a `TriviumError` as `run_project` does.
    """
    out = project.scope.out
    materials = prepare(project, console)
    warn = _warner(console) if force else None
    machine, estimates = _plan(project, materials, device, console, warn)
    content: dict[str, Any] = {
        "machine": machine.to_dict(),
        "models": [{"quote": each.quote.to_dict()} for each in estimates],
    }
    if dry_run:
        return content, True
    models = []
    for material, each in zip(materials, estimates, strict=True):
        folder = out / material.family.name
        if read_result(folder) is None:
            _check_memory(material, each, machine, device, warn)
        result = train_one(project, material, each, folder, device, console, stop)
        if not result.finished:
            return content, False
        models.append(_finished(project, material, each, result, folder, device))
    return {**content, "models": models}, True


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
    asked = project.model_dump(mode="json", include=PRETRAINING)

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
