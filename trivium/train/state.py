"""What a run knows besides its weights: how far it is, and what it has seen."""

__all__ = ["TrainResult", "TrainState"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from trivium.train.settings import TrainSettings
from trivium.train.step_memory import StepMemory
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
    #: Time spent in validations and checkpoints, in seconds.
    between_seconds: float = 0.0
    #: The largest that any process of this run has seen: tensors of a step, and what `TrainResult` calls the peak.
    memory: StepMemory | None = None
    peak_memory_bytes: int = 0
    loss: float | None = None
    validation: Validation | None = None
    validated_step: int = 0
    best_validation_loss: float | None = None
    #: The step of the lowest validation loss, and validations since then.
    best_step: int = 0
    validations_since_best: int = 0
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
        improved = before is None or validation.loss < before
        return replace(
            self,
            validation=validation,
            validated_step=self.step,
            best_validation_loss=validation.loss if improved else before,
            best_step=self.step if improved else self.best_step,
            validations_since_best=0 if improved else self.validations_since_best + 1,
        )

    def ended(self, settings: TrainSettings) -> bool:
        """Whether the run is through: by its steps, or as its validation loss has not fallen for `patience` times."""
        tired = settings.patience is not None and self.validations_since_best >= settings.patience
        return tired or self.step >= settings.steps

    def with_memory(self, memory: StepMemory) -> "TrainState":
        """The state after a step whose tensors were counted."""
        return replace(self, memory=memory.larger(self.memory))

    def with_peak(self, peak_memory_bytes: int) -> "TrainState":
        """The state with the peak that this process has seen so far."""
        return replace(self, peak_memory_bytes=max(self.peak_memory_bytes, peak_memory_bytes))

    def after_a_pause(self, seconds: float) -> "TrainState":
        """The state after a validation or a checkpoint of so many seconds."""
        return replace(self, between_seconds=self.between_seconds + seconds)

    @property
    def validation_loss_here(self) -> float | None:
        """The validation loss of exactly this step, or None where it was not validated."""
        return self.validation.loss if self.validation is not None and self.validated_step == self.step else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a file."""
        return {**asdict(self), "memory": None if self.memory is None else self.memory.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainState":
        """The state that `to_dict` gave."""
        validation, memory = values["validation"], values.get("memory")
        return cls(
            **{
                **values,
                "watch": LossWatch(**values["watch"]),
                "validation": None if validation is None else Validation(**validation),
                "memory": None if memory is None else StepMemory.from_dict(memory),
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
    #: On a GPU the allocator's peak, on a CPU resident memory with what the system's allocator holds back. Of a run in
    #: its folder: beside what the process held before the model was built.
    peak_memory_bytes: int
    #: Loss of the last step, and its running mean over about 20 steps, in nats per target.
    loss: float | None
    mean_loss: float | None
    validation: Validation | None
    best_validation_loss: float | None
    #: What asked it to stop before its last step.
    stopped_by: str | None = None
    parameters: int | None = None
    #: The tensors of a step, counted one by one in a few steps: the same on any device.
    memory: StepMemory | None = None
    median_step_seconds: float | None = None
    #: Time spent in validations and checkpoints, in seconds.
    between_seconds: float = 0.0
    #: The kind of device, which says what `peak_memory_bytes` is.
    device: str = "cpu"
    #: The step of the lowest validation loss, and that whose weights the finished model has.
    best_step: int | None = None
    kept_step: int | None = None

    @property
    def whole_seconds(self) -> float:
        """Steps, validations and checkpoints."""
        return self.seconds + self.between_seconds

    @property
    def tensor_peak_bytes(self) -> int | None:
        """All tensors of a step at their peak; None where no step was counted."""
        return None if self.memory is None else self.memory.total

    @classmethod
    def of(
        cls,
        state: TrainState,
        stopped_by: str | None,
        flops_per_token: float | None,
        parameters: int | None = None,
        median_step_seconds: float | None = None,
        device: str = "cpu",
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
            peak_memory_bytes=state.peak_memory_bytes,
            loss=state.loss,
            mean_loss=state.watch.mean,
            validation=state.validation,
            best_validation_loss=state.best_validation_loss,
            stopped_by=stopped_by,
            parameters=parameters,
            memory=state.memory,
            median_step_seconds=median_step_seconds,
            between_seconds=state.between_seconds,
            device=device,
            best_step=state.best_step or None,
            kept_step=state.step,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with what follows from it."""
        return {
            **asdict(self),
            "validation": None if self.validation is None else self.validation.to_dict(),
            "memory": None if self.memory is None else self.memory.to_dict(),
            "tensor_peak_bytes": self.tensor_peak_bytes,
            "whole_seconds": self.whole_seconds,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainResult":
        """The result that `to_dict` gave, also one of an older version, which knew less."""
        validation, memory = values["validation"], values.get("memory")
        known = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        return cls(
            **{
                **known,
                "validation": None if validation is None else Validation.from_dict(validation),
                "memory": None if memory is None else StepMemory.from_dict(memory),
            }
        )
