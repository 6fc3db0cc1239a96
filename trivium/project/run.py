"""A project from its file to its report. Stopped at any point, it goes on there; what is finished is not done again.

runs/quickstart/
    project.yaml          the resolved file: give it back to `trivium run`
    tokenizers/, shards/  made from the data once
    plan.json             the machine, and the quote of each model
    bert/, gpt2/, t5/     a run folder each, which `AutoModel.from_pretrained` opens
    prompts/              what each model said when it was asked, with so many shots
    sentiment/, ...       a folder of each fine-tuning, which loads like any other
    compare/              the candidates of the comparison
    report.html           expected and measured, curves, samples
"""

__all__ = ["ProjectResult", "run_project"]

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from trivium.files import atomic_write
from trivium.project.comparing import compare_all
from trivium.project.finetuning import finetune_one
from trivium.project.pretraining import pretrain
from trivium.project.prompting import prompt_one
from trivium.project.read import dump_project
from trivium.project.report import render_report, report_context
from trivium.project.schema import Project
from trivium.train.machine import keep_freed_memory
from trivium.train.metrics import read_metrics
from trivium.train.stop import Stop
from trivium.versions import versions


@dataclass(frozen=True)
class ProjectResult:
    """What was planned and done, as plain data; `finished` where every stage is done and the report is written."""

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
    """Pretrain, prompt, fine-tune, compare, report: what the file has sections for; `dry_run` only plans the training.

    Raises a `TriviumError` for whatever a user can mend; everything written before stays, and the next call goes on.
    A step that does not fit the memory is a `BudgetError` before anything of it is allocated; with `force` a warning.
    """
    out, stop = project.scope.out, stop or Stop()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    keep_freed_memory()
    if not dry_run:
        atomic_write(out / "project.yaml", dump_project(project))
    content: dict[str, Any] = {
        "project": project.model_dump(mode="json"), "versions": versions(), "models": [], "machine": None,
        "prompts": {}, "finetuned": {}, "comparison": None,
    }  # fmt: skip
    finished = True
    if project.data is not None:
        pretrained, finished = pretrain(project, device, stop, dry_run=dry_run, force=force, console=console)
        content |= pretrained
    if dry_run:
        return ProjectResult(False, out, content)
    for name, teaching in project.finetune.items():
        if finished:
            content["finetuned"][name], finished = finetune_one(project, name, teaching, console, stop)
    for name, asking in project.prompt.items():
        if finished and not stop.requested:
            content["prompts"][name] = prompt_one(project, name, asking, console)
    if finished and not stop.requested and project.compare is not None:
        content["comparison"] = compare_all(project, project.compare, console)
    if not finished or stop.requested:
        return ProjectResult(False, out, content)
    names = [model["quote"]["name"] for model in content["models"]]
    metrics = {name: read_metrics(out / name / "metrics.jsonl") for name in names}
    page = {**content, "project_file": dump_project(project)}
    atomic_write(out / "report.html", render_report(report_context(page, metrics)))
    return ProjectResult(True, out, content)
