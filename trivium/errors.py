"""Every error that a user can cause, as a tree.

    TriviumError                 exit code 1
    ├── UsageError               exit code 2: a wrong option, project file or argument
    ├── DataError                a source, a column, a corpus, a shard that cannot be used
    │   └── UnavailableError     something that must be fetched and cannot be (offline, refused, altered)
    ├── ModelError               an architecture, a config or weights that do not fit together
    │   └── ParityError          a model in a new form that does not say what it said before
    ├── CheckpointError          a run folder or checkpoint that is truncated, altered or of another run
    ├── BudgetError              what was asked for does not fit the time, the memory or the data
    ├── TrainingError            the run itself went wrong: not-a-number, a spike that did not recover
    └── StorageError             the disk is full or the place cannot be written

A message is one paragraph: what is wrong, where, the limit, and the way out. The command line prints it without a
traceback. What only we can break is an `assert`.
"""

__all__ = [
    "BudgetError",
    "CheckpointError",
    "DataError",
    "ModelError",
    "ParityError",
    "StorageError",
    "TrainingError",
    "TriviumError",
    "UnavailableError",
    "UsageError",
    "nearest",
]

import difflib
from collections.abc import Iterable
from typing import ClassVar


class TriviumError(Exception):
    """The root: catch it to catch everything that a user can cause."""

    exit_code: ClassVar[int] = 1


class UsageError(TriviumError, ValueError):
    """A wrong option, project file or argument."""

    exit_code: ClassVar[int] = 2


class DataError(TriviumError):
    """A source, a column, a corpus or a shard that cannot be used."""


class UnavailableError(DataError):
    """Something that must be fetched and cannot be: no network, refused, or altered on the way."""


class ModelError(TriviumError):
    """An architecture, a config or weights that do not fit together."""


class ParityError(ModelError):
    """A model in a new form (exported, quantized, adapted) that does not say what it said before."""


class CheckpointError(TriviumError):
    """A run folder or checkpoint that is truncated, altered, or of another run."""


class BudgetError(TriviumError):
    """What was asked for does not fit the time, the memory or the data."""


class TrainingError(TriviumError):
    """The run itself went wrong: a loss that is not a number, a spike that did not recover."""


class StorageError(TriviumError):
    """The disk is full, or the place cannot be written."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`" Did you mean 'x'?"` for the known word nearest to `word`, or an empty string where none is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean '{found[0]}'?" if found else ""
