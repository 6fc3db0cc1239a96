"""A model that is taught a task: the stage of a project's `finetune` section."""

__all__ = ["finetune_one"]

from typing import Any

from rich.console import Console

from trivium.data.examples import Examples
from trivium.finetune.fresh import fresh_model
from trivium.finetune.fresh_settings import FreshSettings
from trivium.finetune.measured import measured
from trivium.finetune.run import finetune
from trivium.language_model import LanguageModel, load
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
    base, said, lm = _start(project, teaching, splits.train)
    done = finetune(
        lm,
        splits.train,
        folder,
        splits.choose,
        teaching.settings(project.scope.seed),
        base=base,
        console=console,
        stop=stop,
    )
    content = {"model": said, "data": teaching.data, "splits": splits.to_dict(), **done.to_dict()}
    if not done.finished:
        return content, False
    settings = teaching.settings(project.scope.seed)
    found = measured(done, lm, splits.held_out, settings, folder / "evaluation", splits.fingerprint)
    nothing = {"items": 0, "metrics": {}, "remarks": ["Vectors have no right and wrong that is measured here."]}
    return {**content, "evaluation": nothing if found is None else found.to_dict()}, True


def _start(project: Project, teaching: FineTuning, train: Examples) -> tuple[str | None, str, LanguageModel]:
    """Where the model is, what a report calls it, and the model."""
    model = teaching.model
    if isinstance(model, FreshSettings):
        return None, f"a new {model.family}", fresh_model(model, train, project.scope.seed)
    reference = project.reference(model)
    return reference, model, load(reference)
