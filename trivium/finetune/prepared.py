"""A task's examples as one model reads them: what a form of task has to say for the loop to train on it."""

__all__ = ["Batching", "Prepared"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trivium.architecture import Architecture
from trivium.objectives.row import Row
from trivium.tasks.pooling import TextVectors
from trivium.text.tokenizer import Tokenizer
from trivium.train.loss import LossFn

#: How the rows of a step become batches: several texts packed into a row, or by length in several batches, each padded
#: to its longest. "whole" keeps a step's rows in one batch, for a loss that sets them against each other.
Batching = Literal["packed", "by length", "whole"]


@dataclass(frozen=True)
class Prepared:
    """A row an example, not padded and in their order; the loss that is taken over batches of them.

    `architecture` is the model's, with the head that the task wants. `pad` fills the rows of a batch to equal length.
    `left_out` says how many examples make no row, and why; `cut` counts those whose end was left out; `noticed` counts
    what is odd in them and taught nonetheless. `vectors` is how the model makes texts into vectors, where that is the
    task; `config` goes into the folder's config.json.
    """

    architecture: Architecture
    rows: tuple[Row, ...]
    loss_fn: LossFn
    pad: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    cut: int = 0
    batching: Batching = "packed"
    vectors: TextVectors | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    noticed: Mapping[str, int] = field(default_factory=dict)
    copies: tuple[Row, ...] = ()
    preview: str = ""
    tokenizer: Tokenizer | None = None

    @property
    def tokens(self) -> int:
        """Tokens of all rows, on both sides."""
        sides = ((row.input_ids, row.decoder_input_ids) for row in self.rows)
        return sum(0 if side is None else len(side) for pair in sides for side in pair)
