"""Batches of a mixture: step s is a pure function of (seed, s), so that a resumed run reads what it would have read."""

__all__ = ["HeldOut", "Loader"]

from collections.abc import Iterator, Sequence

import numpy as np

from trivium.data.documents import Documents
from trivium.data.epochs import Epochs, Window
from trivium.data.mixture import Mixture, MixtureSource
from trivium.data.mixture_table import MixtureTable
from trivium.errors import DataError
from trivium.objectives.batch import Batch
from trivium.objectives.collate import collate
from trivium.objectives.row import Objective, Row


class Loader:
    """The batches of a training run. Any step may be asked for at any time: only caches are kept between calls."""

    def __init__(self, sources: Sequence[MixtureSource], objective: Objective, seed: int) -> None:
        self.mixture = Mixture(sources, objective, seed)
        self.objective = objective
        self.seed = seed

    def row(self, index: int) -> Row:
        """Row `index` of the run."""
        return _row(self.mixture.window(index)[1], self.objective)

    def batch(self, step: int, rows: int) -> Batch:
        """The batch of a step of so many rows: rows step * rows up to (step + 1) * rows of the run."""
        return collate([self.row(index) for index in range(step * rows, (step + 1) * rows)])

    def micro_batches(self, step: int, rows: int, micro_rows: int) -> Iterator[Batch]:
        """The batch of a step in parts of at most `micro_rows` rows, each made when it is asked for."""
        stop = (step + 1) * rows
        for start in range(step * rows, stop, micro_rows):
            yield collate([self.row(index) for index in range(start, min(start + micro_rows, stop))])

    def plan(self, steps: int, rows: int) -> MixtureTable:
        """What so many steps will read of each source. Too much for the sources' `max_epochs` raises `BudgetError`."""
        return self.mixture.plan(steps * rows)

    def consumed(self, step: int, rows: int) -> MixtureTable:
        """What the steps before `step` have read of each source."""
        return self.mixture.consumed(step * rows)


class HeldOut:
    """Held-out documents in a fixed order with fixed masks: at most `windows` rows, a random sample of all.

    Documents without any token raise `DataError`.
    """

    def __init__(
        self,
        documents: Documents,
        objective: Objective,
        seed: int,
        windows: int | None = None,
        name: str = "held-out data",
    ) -> None:
        if documents.tokens == 0:
            raise DataError(
                f"'{name}' holds no token in {documents.documents:,} documents: there is nothing to validate on."
            )
        self.objective = objective
        self._epochs = Epochs(documents, objective, seed)
        all_windows = self._epochs.windows(1)
        self.windows = all_windows if windows is None else min(windows, all_windows)

    @property
    def tokens(self) -> int:
        """The tokens of these rows."""
        return self._epochs.consumed(self.windows).tokens

    def batches(self, rows: int) -> Iterator[Batch]:
        """The rows in batches of at most `rows`, the same each time."""
        for start in range(0, self.windows, rows):
            stop = min(start + rows, self.windows)
            yield collate([_row(self._epochs.window(index), self.objective) for index in range(start, stop)])


def _row(window: Window, objective: Objective) -> Row:
    return objective.row(window.pieces, np.random.default_rng(window.key))
