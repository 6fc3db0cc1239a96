"""The project file: its sections, what each field means, and its limits. `trivium schema` prints it for editors."""

__all__ = ["PRETRAINING", "Data", "Encoder", "Evaluate", "Mix", "Model", "Objective", "Project", "Scope", "Train"]

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from trivium.errors import ModelError, UsageError
from trivium.families.pre_training import pre_training
from trivium.families.registry import FAMILIES
from trivium.objectives.registry import KINDS, LABELLED, check_kind
from trivium.project.task_schema import Comparing, FineTuning, Prompting
from trivium.train.settings import TrainSettings

_DECIDED_BY_THE_PLAN = ("steps", "batch_rows", "batch_tokens", "accumulation", "seed")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _train_schema() -> dict[str, Any]:
    schema = TrainSettings.model_json_schema()
    properties = {k: v for k, v in schema["properties"].items() if k not in ("steps", "batch_rows", "seed")}
    return {**schema, "properties": properties, "required": [], "title": "Train"}


#: Settings of training by name (see `TrainSettings`); what is left out keeps its default, or is decided by the plan.
Train = Annotated[
    dict[str, Any],
    BeforeValidator(lambda value: {} if value is None else value),
    WithJsonSchema(_train_schema()),
]


class Scope(_Section):
    """What it is for, what it may cost, and where it goes."""

    name: str = Field("project", description="A short name, for the report.", min_length=1, max_length=100)
    about: str = Field("", description="What the models are for, in a sentence.", max_length=2000)
    minutes: float = Field(
        5.0, gt=0, le=60 * 24 * 60, description="Minutes of training on this machine, for all models together."
    )
    out: Path = Field(Path("runs/project"), description="The folder of everything that the project makes.")
    seed: int = Field(0, ge=0, lt=2**31, description="Starts every random draw: weights, order, masks, samples.")


class Mix(_Section):
    """A source in the mixture."""

    path: str = Field(description="A file, a folder, a name of the catalogue (`trivium data list`) or a hub id.")
    weight: float = Field(1.0, gt=0, description="Its share of the tokens, relative to the other weights.")
    max_epochs: float | None = Field(None, gt=0, description="How often it may be read at most. null sets no limit.")
    column: str | None = Field(None, description="The column that holds the text, where there are several.")

    @field_validator("path")
    @classmethod
    def _is_there(cls, path: str) -> str:
        if not path.strip():
            raise ValueError("a source needs a path")
        return path


class Data(_Section):
    """The text, and how it is cut."""

    mix: tuple[Mix, ...] = Field(description="The sources and their shares of the tokens.", min_length=1)
    held_out: float = Field(
        0.05, gt=0, lt=1, description="Share of the documents that no model trains on, chosen by their content."
    )
    length: int = Field(256, ge=16, le=2**20, description="Tokens of a row that a model reads.")

    @field_validator("mix", mode="before")
    @classmethod
    def _short(cls, mix: Any) -> Any:
        if not isinstance(mix, list | tuple):
            return mix
        return [{"path": source} if isinstance(source, str) else source for source in mix]


class Encoder(_Section):
    """What encoders have for themselves: a masked objective has few targets, so small ones want short rows."""

    mask_rate: float = Field(0.15, gt=0, lt=1, description="Share of the tokens that are targets: BERT's 15 %.")
    masking: Literal["dynamic", "static"] = Field(
        "dynamic", description="New masks in every epoch (RoBERTa), or ten fixed ones (BERT)."
    )
    whole_word: bool = Field(False, description="Mask whole words instead of tokens.")
    vocabulary: int | None = Field(
        None, ge=100, le=2**20, description="Ids of its tokenizer. null is model.vocabulary."
    )
    length: int | None = Field(None, ge=16, le=2**20, description="Tokens of its rows. null is data.length.")


class Objective(_Section):
    """What a model is asked to learn, where it is not what its family's paper has."""

    name: str = Field(description=f"One of {', '.join(KINDS)}.", json_schema_extra={"enum": list(KINDS)})
    options: dict[str, float | int | bool | str] = Field(
        {}, description="Its own options by name, such as {recipe: released} of denoising."
    )


class Model(_Section):
    """Which models, and how large."""

    families: tuple[str, ...] = Field(
        ("bert", "gpt2", "t5"),
        description=f"One model of each is trained: {', '.join(FAMILIES)}.",
        min_length=1,
        json_schema_extra={"items": {"enum": list(FAMILIES)}},
    )
    vocabulary: int = Field(4096, ge=300, le=2**20, description="Ids of each model's tokenizer.")
    tokens_per_parameter: float = Field(
        20.0,
        gt=0,
        description="D / N: 20 is compute-optimal (Hoffmann et al. 2022), more makes a smaller, better model.",
    )
    dim: int | None = Field(
        None,
        ge=32,
        multiple_of=16,
        description="The width of every model. null takes the largest that the time allows.",
    )
    encoder: Encoder = Field(Encoder(), description="What encoders have for themselves.")
    objectives: dict[str, Objective] = Field(
        {}, description="The objective of a family, by name or with options. One left out has that of its paper."
    )

    @field_validator("families")
    @classmethod
    def _known(cls, families: tuple[str, ...]) -> tuple[str, ...]:
        from trivium.errors import nearest

        for name in families:
            if name not in FAMILIES:
                raise ValueError(
                    f"there is no family '{name}'.{nearest(name, FAMILIES)} There are: {', '.join(FAMILIES)}"
                )
        if len(set(families)) < len(families):
            raise ValueError("a family is named twice")
        return families

    @field_validator("objectives", mode="before")
    @classmethod
    def _short(cls, objectives: Any) -> Any:
        if not isinstance(objectives, dict):
            return objectives
        return {family: {"name": one} if isinstance(one, str) else one for family, one in objectives.items()}

    @model_validator(mode="after")
    def _fit(self) -> "Model":
        for name, chosen in self.objectives.items():
            if name not in self.families:
                raise ValueError(f"objectives names '{name}', and the families are {', '.join(self.families)}")
            try:
                check_kind(chosen.name, FAMILIES[name].kind, name)
                if chosen.name in LABELLED:
                    pre_training(FAMILIES[name])
            except (ModelError, UsageError) as error:
                raise ValueError(str(error)) from error
        return self


class Evaluate(_Section):
    """What the finished models are asked."""

    rows: int | None = Field(None, ge=1, description="Held-out rows that each model is scored on. null takes all.")
    masks: tuple[str, ...] = Field((), description="Texts with [MASK], for encoders to fill.")
    prompts: tuple[str, ...] = Field((), description="Beginnings, for decoders to continue.")
    spans: tuple[str, ...] = Field((), description="Texts with <extra_id_0>, …, for encoder-decoders to fill.")
    max_tokens: int = Field(40, ge=1, le=4096, description="Tokens of a continuation.")
    temperature: float = Field(0.7, ge=0, description="Of the continuations; 0 is greedy.")
    top_k: int = Field(50, ge=0, description="Continuations draw from so many most probable tokens; 0: from all.")


#: What decides the pretrained models, by section.
PRETRAINING: dict[str, Any] = {"scope": {"minutes", "seed"}, "data": True, "model": True, "train": True}
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
#: Folders of a project that a stage may not be named after.
_TAKEN = frozenset({"tokenizers", "shards", "prompts", "compare", "ladder"})


class Project(_Section):
    """A project file: pretraining where there is `data`, and tasks."""

    scope: Scope = Scope()
    data: Data | None = Field(None, description="The text to pretrain on. null pretrains nothing.")
    model: Model = Model()
    train: Train = Field({}, description="Settings of training; what is left out the plan decides.")
    evaluate: Evaluate = Evaluate()
    prompt: dict[str, Prompting] = Field({}, description="By a name: a model that is asked as it is.")
    finetune: dict[str, FineTuning] = Field({}, description="By a name, which is its folder: a model taught a task.")
    compare: Comparing | None = Field(None, description="Which of several models does a task best.")

    @property
    def text(self) -> Data:
        """The text to pretrain on, where it is known that there is some."""
        assert self.data is not None, "nothing is pretrained"
        return self.data

    @property
    def pretrained(self) -> tuple[str, ...]:
        """The names of the models that are pretrained here."""
        return self.model.families if self.data is not None else ()

    def reference(self, model: str) -> str:
        """A model of this project by its name, as a reference; any other reference as it is."""
        return str(self.scope.out / model) if model in (*self.pretrained, *self.finetune) else model

    @model_validator(mode="after")
    def _does_something(self) -> "Project":
        if self.data is None and not self.prompt and not self.finetune and self.compare is None:
            raise ValueError("the file asks for nothing: it needs a section data, prompt, finetune or compare")
        for name in (*self.prompt, *self.finetune):
            if not _NAME.fullmatch(name) or name in _TAKEN:
                taken = ", ".join(sorted(_TAKEN))
                raise ValueError(
                    f"'{name}' cannot name a stage: take up to 64 letters, digits, '-', '_' and '.', and not {taken}"
                )
        made = list(self.pretrained)
        for name, section in self.finetune.items():
            if name in made:
                raise ValueError(f"finetune names '{name}', which is a model that is pretrained here")
            if isinstance(section.model, str) and section.model in self.finetune and section.model not in made:
                raise ValueError(
                    f"finetune.{name} goes on from '{section.model}', which comes after it: put that first"
                )
            made.append(name)
        return self
