"""Every number of a training run that a user may choose, with its default, its limits and what it is for."""

__all__ = ["TrainSettings", "parse_settings"]

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trivium.errors import UsageError, nearest

_Count = Annotated[int, Field(gt=0)]
_Fraction = Annotated[float, Field(ge=0, le=1)]

#: Settings that change what is kept or shown, and never a weight: they may differ when a run is continued.
_BOOKKEEPING = frozenset(
    {
        "validate_every",
        "checkpoint_every",
        "checkpoint_every_seconds",
        "keep_last",
        "keep_best",
        "report_to",
        "spike_nats",
        "spike_steps",
        "activation_checkpointing",
    }
)


class TrainSettings(BaseModel):
    """How one model is trained.

    The number of steps is fixed beforehand: the schedule depends on it, and a run that is stopped and continued takes
    the same steps as one that is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: _Count = Field(description="Optimizer steps of the whole run.")
    batch_rows: _Count | None = Field(None, description="Rows of one optimizer step. Give this or batch_tokens.")
    batch_tokens: _Count | None = Field(
        None, description="Tokens of one optimizer step, rounded to whole rows. Give this or batch_rows."
    )
    accumulation: _Count = Field(
        1, description="Micro-batches that a step is cut into when it does not fit the memory. Changes no result."
    )

    optimizer: Literal["adamw", "muon"] = Field(
        "adamw",
        description="adamw for all weights, or muon for the matrices of the blocks and adamw for the rest.",
    )
    learning_rate: float = Field(1e-3, gt=0, description="The highest learning rate, reached after the warm-up.")
    warmup_fraction: _Fraction = Field(0.02, description="Part of the steps over which the learning rate rises from 0.")
    warmup_steps: int | None = Field(None, ge=0, description="The warm-up in steps; replaces warmup_fraction.")
    schedule: Literal["cosine", "linear", "wsd", "constant"] = Field(
        "cosine",
        description="The way down: half a cosine, a straight line, stable and then a straight line (wsd), or none.",
    )
    decay_fraction: _Fraction = Field(0.2, description="Part of the steps in which schedule wsd goes down.")
    floor: _Fraction = Field(0.1, description="Where the way down ends, as a part of learning_rate.")
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = Field(
        (0.9, 0.95), description="Decay of AdamW's running mean of the gradient and of its square."
    )
    epsilon: float = Field(1e-8, gt=0, description="What AdamW adds to the root of the mean square.")
    momentum: float = Field(0.95, ge=0, lt=1, description="Decay of Muon's running mean of the gradient.")
    weight_decay: float = Field(
        0.1, ge=0, description="Decoupled decay of the matrices. Norms, biases and embedding tables have none."
    )
    clip_norm: float | None = Field(
        1.0, gt=0, description="The gradient's largest norm; a longer one is shortened to it. null leaves it as it is."
    )

    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the matrix products. auto measures which is faster on this machine."
    )
    activation_checkpointing: bool = Field(
        False, description="Recompute each block's activations in the backward pass: less memory, a third more time."
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Starts every random draw of the run: order, masks, dropout.")

    validate_every: _Count | None = Field(
        None, description="Steps between validations. null validates at the end only."
    )
    patience: _Count | None = Field(
        None, description="Validations in a row without a lower loss after which the run ends. null: to the last step."
    )
    checkpoint_every: _Count | None = Field(None, description="Steps between checkpoints. null keeps none by steps.")
    checkpoint_every_seconds: float | None = Field(300.0, gt=0, description="Seconds between checkpoints, or null.")
    keep_last: _Count = Field(2, description="How many of the latest checkpoints stay on the disk.")
    keep_best: bool = Field(True, description="Also save and keep the checkpoint of the lowest validation loss.")
    spike_nats: float | None = Field(
        2.0, gt=0, description="A loss this far above its lowest running mean counts as a spike. null watches for none."
    )
    spike_steps: _Count = Field(50, description="Steps in a row that a spike may last before the run is stopped.")
    report_to: Literal["none", "tensorboard", "trackio", "wandb", "mlflow"] = Field(
        "none", description="A tracker that also receives the metrics. metrics.jsonl is always written."
    )

    @model_validator(mode="after")
    def _fits(self) -> "TrainSettings":
        if self.batch_rows is not None and self.batch_tokens is not None:
            raise ValueError(
                f"batch_rows is {self.batch_rows} and batch_tokens is {self.batch_tokens}, and only one of them can "
                "say how large a step is: leave one out"
            )
        if self.batch_rows is not None and self.batch_rows % self.accumulation:
            raise ValueError(
                f"batch_rows is {self.batch_rows}, which accumulation {self.accumulation} does not divide: take "
                f"{math.ceil(self.batch_rows / self.accumulation) * self.accumulation} rows, or another accumulation"
            )
        if self.warmup > self.steps:
            raise ValueError(
                f"warmup_steps is {self.warmup} and the whole run has {self.steps} steps: take at most {self.steps}"
            )
        if self.patience is not None and self.validate_every is None:
            raise ValueError(
                f"patience is {self.patience} and validate_every is null, so that there is one validation, at the end: "
                "give validate_every too"
            )
        if self.patience is not None and not self.keep_best:
            raise ValueError(
                f"patience is {self.patience} and keep_best is false, so that the best weights would be lost: keep them"
            )
        decay = self.decay_fraction * self.steps
        if self.schedule == "wsd" and self.warmup + decay > self.steps:
            raise ValueError(
                f"The warm-up takes {self.warmup} of {self.steps} steps and decay_fraction {self.decay_fraction} takes "
                f"{decay:.0f} more: take a decay_fraction of at most {1 - self.warmup / self.steps:.2g}"
            )
        return self

    @property
    def warmup(self) -> int:
        """The warm-up in steps."""
        return round(self.warmup_fraction * self.steps) if self.warmup_steps is None else self.warmup_steps

    def rows(self, row_tokens: int) -> int:
        """Rows of one optimizer step when a row holds `row_tokens` tokens: a multiple of `accumulation`, never zero."""
        if self.batch_rows is not None:
            return self.batch_rows
        if self.batch_tokens is None:
            return self.accumulation
        return max(1, round(self.batch_tokens / row_tokens / self.accumulation)) * self.accumulation

    def trajectory(self) -> dict[str, Any]:
        """The settings that decide the weights, as plain data: a run can be continued only with the same ones."""
        return self.model_dump(mode="json", exclude=set(_BOOKKEEPING))


def parse_settings(values: Mapping[str, Any]) -> TrainSettings:
    """Settings from plain data, such as a section of a YAML file.

    Raises `UsageError`, a paragraph with each wrong value, its limit and what the setting is for.
    """
    try:
        return TrainSettings.model_validate(dict(values))
    except ValidationError as error:
        raise UsageError(" ".join(_sentence(dict(detail)) for detail in error.errors())) from error


def _sentence(detail: Mapping[str, Any]) -> str:
    if detail["type"] == "value_error":
        return f"{detail['ctx']['error']}."
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        return f"There is no training setting '{name}'.{nearest(name, TrainSettings.model_fields)}"
    description = TrainSettings.model_fields[name].description
    if detail["type"] == "missing":
        return f"The training setting '{name}' is missing. {description}"
    message = str(detail["msg"]).removeprefix("Input ")
    return f"The training setting '{name}' is {detail['input']!r}, and {message}. {description}"
