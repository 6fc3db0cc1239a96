"""A model that is taught a task: the stage of a project's `finetune` section."""

__all__ = ["finetune_one"]

from typing import Any

from rich.console import Console

from trivium.evaluate.evaluation import evaluate
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.finetune.run import finetune
from trivium.language_model import load
from trivium.project.schema import Project
from trivium.project.splits import splits_of
from trivium.project.task_schema import FineTuning
from trivium.train.stop import Stop


def finetune_one(
    project: Project, name: str, teaching: FineTuning, console: Console | None, stop: Stop
) -> tuple[dict[str, Any], bool]:
    """What was expected and measured, and how good the model is on what was held out; and whether it is finished.

    Of the examples that are not held out, some choose when to stop and which weights to keep.
    """
    folder = project.scope.out / name
    splits = splits_of(teaching, project.scope.seed)
    base = project.reference(teaching.model)
    done = finetune(
        load(base),
        splits.train,
        folder,
        splits.choose,
        teaching.settings(project.scope.seed),
        base=base,
        console=console,
        stop=stop,
    )
    content = {"model": teaching.model, "data": teaching.data, "splits": splits.to_dict(), **done.to_dict()}
    if not done.finished:
        return content, False
    evaluation = evaluate(
        HeadPredictor(done.load()), splits.held_out, folder=folder / "evaluation", identity=splits.fingerprint
    )
    return {**content, "evaluation": evaluation.to_dict()}, True
