"""A task's examples as one model reads them: what a form of task has to say for the loop to train on it."""

__all__ = ["Prepared"]

from collections.abc import Mapping
from dataclasses import dataclass, field

from trivium.architecture import Architecture
from trivium.objectives.row import Row
from trivium.train.loss import LossFn


@dataclass(frozen=True)
class Prepared:
    """A row an example, not padded and in their order; the loss that is taken over batches of them.

    `architecture` is the model's, with the head that the task wants. `pad` fills the rows of a batch to equal length.
    `left_out` says how many examples make no row, and why; `cut` counts those whose end was left out.
    """

    architecture: Architecture
    rows: tuple[Row, ...]
    loss_fn: LossFn
    pad: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    cut: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of all rows, on both sides."""
        sides = ((row.input_ids, row.decoder_input_ids) for row in self.rows)
        return sum(0 if side is None else len(side) for pair in sides for side in pair)
