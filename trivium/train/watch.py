"""Notices a run that goes wrong while it runs: a loss that jumps up and stays there."""

__all__ = ["LossWatch"]

from dataclasses import dataclass

from trivium.errors import TrainingError

#: Part of the old mean that stays in the running mean at each step: it looks back over about 20 steps.
_MEMORY = 0.95


@dataclass(frozen=True)
class LossWatch:
    """A running mean of the loss, its lowest value, and for how many steps in a row the loss has been far above that.

    Part of the loop's state: a resumed run watches on from where it was.
    """

    mean: float | None = None
    lowest: float | None = None
    steps_above: int = 0

    def after(self, loss: float, spike_nats: float | None) -> "LossWatch":
        """The watch after one more step's loss. A loss that is a spike does not enter the mean."""
        if self.mean is None or self.lowest is None:
            return LossWatch(loss, loss, 0)
        if spike_nats is not None and loss > self.lowest + spike_nats:
            return LossWatch(self.mean, self.lowest, self.steps_above + 1)
        mean = _MEMORY * self.mean + (1 - _MEMORY) * loss
        return LossWatch(mean, min(self.lowest, mean), 0)

    def check(self, step: int, loss: float, spike_nats: float | None, spike_steps: int) -> None:
        """Raise `TrainingError` where a spike has lasted for `spike_steps` steps in a row."""
        if spike_nats is not None and self.steps_above >= spike_steps:
            raise TrainingError(
                f"At step {step} the loss is {loss:.3f}, and for {self.steps_above} steps in a row (spike_steps) it "
                f"has been more than {spike_nats} nats (spike_nats) above its lowest mean, {self.lowest:.3f}: the run "
                "does not recover. Lower learning_rate or lengthen the warm-up; if the data is meant to change, set "
                "spike_nats to null."
            )
