"""Every number of a fine-tuning that a user may choose, with its default, its limits and what it is for."""

__all__ = ["FineTuneSettings", "TooLong", "parse_finetune_settings"]

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trivium.adapt.lora import Lora
from trivium.errors import UsageError, nearest
from trivium.tasks.text_to_text import TextTask
from trivium.train.preference_loss import PreferenceLoss
from trivium.train.settings import TrainSettings

_Count = Annotated[int, Field(gt=0)]

#: What becomes of a text that is longer than the model reads: its end is cut off, or it is left out; both are counted.
TooLong = Literal["cut", "leave out", "refuse"]


class FineTuneSettings(BaseModel):
    """How a model is taught a task. The defaults are those of BERT's paper (Devlin et al. 2019, appendix A.3)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: float = Field(3.0, gt=0, description="How often every example is read; a part of an epoch is one, too.")
    copy_epochs: float = Field(
        0.0,
        ge=0,
        description="Epochs before these in which each answer is its own source: a model that writes and starts from "
        "nothing learns so to look at what it reads.",
    )
    batch: _Count = Field(32, description="Examples of one optimizer step.")
    optimizer: Literal["adamw", "muon"] = Field(
        "adamw", description="adamw, or muon for the matrices of the blocks: for a model that starts from nothing."
    )
    learning_rate: float = Field(5e-5, gt=0, description="The highest learning rate, reached after the warm-up.")
    warmup_fraction: float = Field(0.1, ge=0, le=1, description="Part of the steps over which the rate rises from 0.")
    schedule: Literal["linear", "cosine", "constant"] = Field("linear", description="The way down, to 0.")
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = Field(
        (0.9, 0.999), description="Decay of AdamW's running mean of the gradient and of its square."
    )
    weight_decay: float = Field(0.01, ge=0, description="Decoupled decay of the matrices.")
    clip_norm: float | None = Field(1.0, gt=0, description="The gradient's largest norm, or null.")
    max_tokens: _Count | None = Field(
        None, description="Tokens of the longest text, special ones with it. null is what the model reads at most."
    )
    too_long: TooLong = Field("cut", description="What becomes of a longer text: cut, leave out, or refuse the data.")
    class_weights: Literal["equal", "balanced"] | dict[str, Annotated[float, Field(gt=0)]] = Field(
        "equal",
        description="What an example weighs by its label: all alike, each label alike in sum, or a number a label.",
    )
    text_task: TextTask | None = Field(
        None, description="Name, prefix and suffix of a task from text to text. null is the model's own, or no prefix."
    )
    chat_template: str | None = Field(
        None, description="Of conversations: a Jinja template, or 'plain'. null is the tokenizer's own."
    )
    preference: PreferenceLoss = Field(
        PreferenceLoss(), description="Of pairs of answers: the loss (dpo, ipo, hinge), its beta, and the wrong labels."
    )
    pad_token: str | None = Field(None, description="Of conversations: what fills rows, where the own one is the end.")
    lora: Lora | None = Field(None, description="Train updates of low rank and the head alone, or null: everything.")
    validate_every: _Count | None = Field(
        None, description="Steps between validations on the held-out examples. null validates after each epoch."
    )
    patience: _Count | None = Field(
        None, description="Validations in a row without a lower loss after which it ends. null: it runs to the end."
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the matrix products. auto measures which is faster on this machine."
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Starts every random draw: the head, order, dropout.")
    checkpoint_every_seconds: float | None = Field(300.0, gt=0, description="Seconds between checkpoints, or null.")

    @model_validator(mode="after")
    def _fits(self) -> "FineTuneSettings":
        if self.copy_epochs and self.patience is not None:
            raise ValueError(
                f"copy_epochs is {self.copy_epochs:g} and patience {self.patience}, but the loss on the task does not "
                "fall while answers are copied: leave one of them out"
            )
        return self

    def steps(self, examples: int) -> int:
        """Optimizer steps of all epochs over so many examples, copies too; the last of an epoch may have fewer."""
        return self.copy_steps(examples) + max(1, math.ceil(self.epochs * self.epoch_steps(examples)))

    def copy_steps(self, examples: int) -> int:
        """Of these the first, in which answers are copied."""
        return math.ceil(self.copy_epochs * self.epoch_steps(examples))

    def epoch_steps(self, examples: int) -> int:
        """Optimizer steps of one epoch."""
        return math.ceil(examples / self.batch)

    def train_settings(self, examples: int, held_out: bool) -> TrainSettings:
        """The run's settings. Without held-out examples there is no validation, and so no early end."""
        every = self.validate_every or self.epoch_steps(examples)
        return TrainSettings(
            steps=self.steps(examples),
            batch_rows=self.batch,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            warmup_fraction=self.warmup_fraction,
            schedule=self.schedule,
            floor=0.0,
            betas=self.betas,
            weight_decay=self.weight_decay,
            clip_norm=self.clip_norm,
            precision=self.precision,
            seed=self.seed,
            validate_every=every if held_out else None,
            patience=self.patience if held_out else None,
            checkpoint_every_seconds=self.checkpoint_every_seconds,
            keep_last=1,
            spike_nats=None,
        )


def parse_finetune_settings(values: Mapping[str, Any]) -> FineTuneSettings:
    """Settings from plain data, such as a section of a YAML file.

    Raises `UsageError`, a paragraph with each wrong value, its limit and what the setting is for.
    """
    try:
        return FineTuneSettings.model_validate(dict(values))
    except ValidationError as error:
        raise UsageError(" ".join(_sentence(dict(detail)) for detail in error.errors())) from error


def _sentence(detail: Mapping[str, Any]) -> str:
    if not detail["loc"]:
        return str(detail["msg"]).removeprefix("Value error, ") + "."
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        return f"There is no fine-tuning setting '{name}'.{nearest(name, FineTuneSettings.model_fields)}"
    message = str(detail["msg"]).removeprefix("Input ")
    said = FineTuneSettings.model_fields[name].description
    return f"The fine-tuning setting '{name}' is {detail['input']!r}, and {message}. {said}"
