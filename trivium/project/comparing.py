"""Several candidates on the same examples: the stage of a project's `compare` section."""

__all__ = ["compare_all"]

import io
from typing import Any

from rich.console import Console

from trivium.compare.comparison import COLUMNS
from trivium.compare.run import compare
from trivium.compare.settings import CompareSettings
from trivium.project.schema import Project
from trivium.project.task_schema import Comparing


def compare_all(project: Project, comparing: Comparing, console: Console | None) -> dict[str, Any]:
    """The comparison as plain data, with its table and its picture. Each candidate is trained and asked once."""
    settings = CompareSettings.model_validate(
        {**comparing.model_dump(), "out": project.scope.out / "compare", "seed": project.scope.seed}
    )
    told = (lambda said: console.print(said, highlight=False)) if console else (lambda said: None)
    found = compare(settings, told, project.reference)
    picture = io.StringIO()
    found.plot().savefig(picture, format="svg")
    table = {"columns": list(COLUMNS), "rows": [list(row) for row in found.rows()]}
    return {**found.to_dict(), "table": table, "said": str(found.recommendation), "svg": picture.getvalue()}
