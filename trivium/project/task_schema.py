"""The sections of a project file about tasks: what a model says when it is asked, what it can be taught, and which
model does a task best.
"""

__all__ = ["Comparing", "FineTuning", "Prompting", "Task"]

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from trivium.compare.candidates import parse_candidates
from trivium.compare.settings import CompareSettings
from trivium.errors import TriviumError
from trivium.finetune.fresh_settings import FreshSettings
from trivium.finetune.settings import FineTuneSettings, parse_finetune_settings
from trivium.prompts.shots import ORDERS, Shots
from trivium.prompts.ways import WAYS, check_way

_DECIDED_BY_THE_PROJECT = ("out", "seed")


class Task(BaseModel):
    """A model, and examples of a task."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        description="A model reference, or the name of a model that this project makes: a family, a fine-tuning.",
        min_length=1,
    )
    data: str = Field(description="The examples: a file, a folder, a name of the catalogue or a hub id.", min_length=1)
    columns: dict[str, str] = Field({}, description="Role of a column: its name in the data, as {label: stars}.")
    split: str | None = Field(None, description="The split of the data, where it has several.")
    test_split: str | None = Field(None, description="The split that is held out. null holds out a share of the data.")
    held_out: float = Field(0.2, gt=0, lt=1, description="Share of the examples that is held out.")
    items: int | None = Field(None, ge=1, description="Score so many of what is held out at most, drawn by the seed.")


class Prompting(Task):
    """One model as it is, asked by prompts with more and fewer shots."""

    shots: tuple[Annotated[int, Field(ge=0, le=1000)], ...] = Field(
        (0, 1, 4), description="How many examples stand before the one that is asked.", min_length=1
    )
    order: str = Field("balanced", description="How shots are chosen.", json_schema_extra={"enum": list(ORDERS)})
    seeds: int = Field(1, ge=1, le=100, description="Draw the shots so often.")
    ways: tuple[str, ...] = Field(
        ("plain", "content-free"),
        description="How choices are scored.",
        min_length=1,
        json_schema_extra={"items": {"enum": list(WAYS)}},
    )
    template: str | None = Field(None, description="Jinja, with the example's fields and its answer at the end.")
    instruction: str = Field("", description="What stands before all examples.")
    words: dict[str, str] | None = Field(None, description="What the model says for each label; the label itself.")
    style: Literal["text", "chat"] = Field("text", description="One running text, or turns of a conversation.")

    @model_validator(mode="after")
    def _known(self) -> "Prompting":
        try:
            Shots(0, self.order)
            for way in self.ways:
                check_way(way)
        except TriviumError as error:
            raise ValueError(str(error)) from error
        return self


def _train_schema() -> dict[str, Any]:
    """That of the settings without the seed, with what it refers to in place: it stands inside another schema."""
    schema = FineTuneSettings.model_json_schema()
    parts = schema.pop("$defs", {})

    def whole(value: Any) -> Any:
        if isinstance(value, list):
            return [whole(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return whole(parts[value["$ref"].rpartition("/")[2]])
        return {key: whole(each) for key, each in value.items()}

    properties = {name: each for name, each in schema["properties"].items() if name != "seed"}
    return dict(whole({**schema, "properties": properties, "title": "Fine-tuning"}))


class FineTuning(Task):
    """A model that is taught a task."""

    model: str | FreshSettings = Field(  # type: ignore[assignment]
        description="A model reference, the name of a model that this project makes, or a new model, as "
        "{family: bart, dim: 192}, over a tokenizer trained on the examples.",
    )

    train: Annotated[
        dict[str, Any],
        BeforeValidator(lambda value: {} if value is None else value),
        WithJsonSchema(_train_schema()),
    ] = Field({}, description="Settings of fine-tuning; what is left out keeps its default.")

    @model_validator(mode="after")
    def _fits(self) -> "FineTuning":
        if "seed" in self.train:
            raise ValueError("the seed is scope.seed: leave train.seed out")
        try:
            parse_finetune_settings(self.train)
        except TriviumError as error:
            raise ValueError(str(error)) from error
        return self

    def settings(self, seed: int) -> FineTuneSettings:
        """The settings with the project's seed."""
        return parse_finetune_settings({**self.train, "seed": seed})


class Comparing(CompareSettings):
    """Several candidates on the same examples. The folder and the seed are the project's."""

    out: SkipJsonSchema[Path] = Field(Path("compare"), exclude=True)
    seed: SkipJsonSchema[int] = Field(0, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _decided(cls, values: Any) -> Any:
        given = [name for name in _DECIDED_BY_THE_PROJECT if isinstance(values, dict) and name in values]
        if given:
            raise ValueError(f"{given[0]} is decided by scope.{given[0]}: leave it out")
        return values

    @model_validator(mode="after")
    def _parsed(self) -> "Comparing":
        try:
            parse_candidates(self.candidates)
        except TriviumError as error:
            raise ValueError(str(error)) from error
        return self
