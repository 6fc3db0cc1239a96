"""A suite of one's own: what a YAML file may say, and every mistake in it named.

models: [runs/reviews, smollm2-135m]      # or on the command line
limit: 400                                # items of each task that has no limit of its own
tasks:
  reviews:
    data: reviews                         # a file, a catalogue name, a hub id
    split: test
    columns: {label: stars}
    metrics: [accuracy, mcc]
  wiki:
    text: wiki.txt                        # running text: perplexity
    stride: 512
"""

__all__ = ["DataTask", "Suite", "SuiteTask", "TextTask", "read_suite"]

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from trivium.errors import UsageError, nearest
from trivium.settings_file import read_settings_file


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataTask(_Section):
    """Examples with what is right: of any form."""

    data: str = Field(description="A file, a folder, a name of the catalogue or a hub id.", min_length=1)
    split: str | None = Field(None, description="A part of the data, such as test.")
    columns: dict[str, str] = Field({}, description="Which column is what: {label: stars}.")
    limit: int | None = Field(None, description="So many examples, drawn by the seed.", ge=1)
    metrics: tuple[str, ...] | None = Field(None, description="Some of the metrics of the task's form.")
    labels: dict[str, str] = Field({}, description="The model's labels by the data's names: {LABEL_1: positive}.")
    options: dict[str, Any] = Field({}, description="Options of decoding, for texts.")


class TextTask(_Section):
    """Running text: perplexity and bits per byte."""

    text: str = Field(description="A file, a folder, a name of the catalogue or a hub id.", min_length=1)
    split: str | None = Field(None, description="A part of the data, such as test.")
    column: str | None = Field(None, description="The column that is running text.")
    limit: int | None = Field(None, description="So many documents, from the first on.", ge=1)
    window: int | None = Field(None, description="Tokens that are read at once; the model's positions.", ge=2)
    stride: int | None = Field(None, description="By how many tokens windows move on; half of the window.", ge=1)


def _kind(value: Any) -> str:
    is_text = isinstance(value, TextTask) or (isinstance(value, Mapping) and "text" in value)
    return "text" if is_text else "data"


#: One task of a suite.
SuiteTask = Annotated[
    Annotated[DataTask, Tag("data")] | Annotated[TextTask, Tag("text")],
    Discriminator(_kind),
]


class Suite(_Section):
    """Tasks by their names, and the models that do them."""

    tasks: dict[Annotated[str, Field(pattern=r"^[\w][\w .-]*$")], SuiteTask] = Field(
        description="Tasks by name: each has `data` or `text`.", min_length=1
    )
    models: tuple[str, ...] = Field((), description="References of models: folders, runs, names, hub ids.")
    limit: int | None = Field(None, description="So many items of each task that has no limit of its own.", ge=1)
    seed: int = Field(0, description="Draws the items of a limit and the resamples of intervals.", ge=0)


def read_suite(path: Path) -> Suite:
    """The suite in a YAML file; paths in it are as seen from where one stands.

    Raises `UsageError` for a file that is not there or is not YAML, and for every key or value that is wrong.
    """
    content = read_settings_file(path, "suite", "`tasks`, and `models` if they are not named elsewhere")
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"In {path}: " + " ".join(_sentence(dict(each)) for each in error.errors())) from error


def _sentence(detail: Mapping[str, Any]) -> str:
    where = [str(part) for part in detail["loc"]]
    kind = Suite
    if len(where) > 2 and where[0] == "tasks" and where[2] in ("data", "text"):
        kind = DataTask if where[2] == "data" else TextTask  # type: ignore[assignment]
        del where[2]
    name = ".".join(where)
    match detail["type"]:
        case "extra_forbidden":
            return f"There is no '{name}'.{nearest(where[-1], kind.model_fields)}"
        case "missing":
            more = " A task has `data` (examples) or `text` (running text)." if where[0] == "tasks" else ""
            return f"'{name}' is missing.{more}"
        case _:
            return f"'{name}' is {detail['input']!r:.80}, and {str(detail['msg']).removeprefix('Input ')}."
