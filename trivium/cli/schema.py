"""`trivium schema`: the JSON schema of project files, for editors."""

__all__ = ["schema"]

import json

import typer


def schema() -> None:
    """Print the JSON schema of a project file, so that an editor completes and checks it."""
    from trivium.project.schema import Project

    typer.echo(json.dumps(Project.model_json_schema(), indent=2))
