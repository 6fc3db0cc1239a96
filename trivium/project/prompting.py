"""A model as it is, asked by prompts with more and fewer shots: the stage of a project's `prompt` section."""

__all__ = ["prompt_one"]

import io
from typing import Any

from rich.console import Console

from trivium.language_model import load
from trivium.loading import stamp
from trivium.project.schema import Project
from trivium.project.splits import splits_of
from trivium.project.stage import fingerprint, kept
from trivium.project.task_schema import Prompting
from trivium.prompts.prompt import Prompt
from trivium.prompts.shots import Shots
from trivium.prompts.sweep import sweep
from trivium.prompts.template import Template
from trivium.prompts.words import LabelWords


def prompt_one(project: Project, name: str, asking: Prompting, console: Console | None) -> dict[str, Any]:
    """The sweep over shots and ways of scoring as plain data, with its picture; made once."""
    seed, out = project.scope.seed, project.scope.out / "prompts"
    splits = splits_of(asking, seed)
    asked = splits.held_out.require("classification", what="a sweep over shots, which chooses among labels,")

    def make() -> dict[str, Any]:
        lm = load(project.reference(asking.model))
        template = Template(asking.template) if asking.template else Template.default(asked.form)
        words = LabelWords.of(splits.train.labels, asking.words)
        prompt = Prompt(template, words, asking.instruction, style=asking.style)
        shots = [Shots(count, asking.order) for count in asking.shots]
        tell = None if console is None else lambda said: console.print(f"prompt {name}: {said}", highlight=False)
        found = sweep(
            lm, {asking.style: prompt}, splits.train, asked, shots, asking.ways, asking.seeds, folder=out, told=tell
        )
        picture = io.StringIO()
        found.plot().savefig(picture, format="svg")
        return {
            "model": asking.model,
            "kind": lm.architecture.kind,
            "parameters": lm.architecture.parameters,
            "splits": splits.to_dict(),
            **found.to_dict(),
            "svg": picture.getvalue(),
        }

    inputs = fingerprint(asking.model_dump(mode="json"), splits.fingerprint, stamp(project.reference(asking.model)))
    return kept(out / f"{name}.json", inputs, make)
