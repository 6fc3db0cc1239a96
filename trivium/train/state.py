"""What a run knows besides its weights: how far it is, and what it has seen."""

__all__ = ["TrainResult", "TrainState"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from trivium.train.validation import Validation
from trivium.train.watch import LossWatch


@dataclass(frozen=True)
class TrainState:
    """The loop's own state after `step` steps: with the weights and the optimizer's state, all that a resume needs.

    There is no state of a random generator in it: every draw is a function of the seed and the step.
    """

    step: int = 0
    tokens: int = 0
    targets: int = 0
    #: Time spent in steps, in seconds, without validation and checkpoints.
    seconds: float = 0.0
    loss: float | None = None
    validation: Validation | None = None
    validated_step: int = 0
    best_validation_loss: float | None = None
    watch: LossWatch = field(default_factory=LossWatch)

    def after(self, loss: float, tokens: int, targets: int, seconds: float, spike_nats: float | None) -> "TrainState":
        """The state after one more step."""
        return replace(
            self,
            step=self.step + 1,
            tokens=self.tokens + tokens,
            targets=self.targets + targets,
            seconds=self.seconds + seconds,
            loss=loss,
            watch=self.watch.after(loss, spike_nats),
        )

    def with_validation(self, validation: Validation) -> "TrainState":
        """The state with a validation of the present step."""
        before = self.best_validation_loss
        best = validation.loss if before is None else min(before, validation.loss)
        return replace(self, validation=validation, validated_step=self.step, best_validation_loss=best)

    @property
    def validation_loss_here(self) -> float | None:
        """The validation loss of exactly this step, or None where it was not validated."""
        return self.validation.loss if self.validation is not None and self.validated_step == self.step else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainState":
        """The state that `to_dict` gave."""
        validation = values["validation"]
        return cls(
            **{
                **values,
                "watch": LossWatch(**values["watch"]),
                "validation": None if validation is None else Validation(**validation),
            }
        )


@dataclass(frozen=True)
class TrainResult:
    """What a run did, over all the times it was started."""

    finished: bool
    steps: int
    tokens: int
    targets: int
    #: Time spent in steps, in seconds, without validation and checkpoints.
    seconds: float
    tokens_per_second: float
    flops_per_second: float | None
    #: Of a run in its folder: beside what the process held before the model was built.
    peak_memory_bytes: int
    #: Loss of the last step, and its running mean over about 20 steps, in nats per target.
    loss: float | None
    mean_loss: float | None
    validation: Validation | None
    best_validation_loss: float | None
    #: What asked it to stop before its last step.
    stopped_by: str | None = None

    @classmethod
    def of(
        cls, state: TrainState, stopped_by: str | None, peak_memory: int, flops_per_token: float | None
    ) -> "TrainResult":
        """The result of a run that ended in `state`."""
        tokens_per_second = state.tokens / state.seconds if state.seconds else 0.0
        return cls(
            finished=stopped_by is None,
            steps=state.step,
            tokens=state.tokens,
            targets=state.targets,
            seconds=state.seconds,
            tokens_per_second=tokens_per_second,
            flops_per_second=None if flops_per_token is None else flops_per_token * tokens_per_second,
            peak_memory_bytes=peak_memory,
            loss=state.loss,
            mean_loss=state.watch.mean,
            validation=state.validation,
            best_validation_loss=state.best_validation_loss,
            stopped_by=stopped_by,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "validation": None if self.validation is None else self.validation.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainResult":
        """The result that `to_dict` gave."""
        validation = values["validation"]
        return cls(**{**values, "validation": None if validation is None else Validation.from_dict(validation)})
