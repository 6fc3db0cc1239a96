"""The examples of a task in a project: to train on or to show, to choose by, and held out."""

__all__ = ["splits_of"]

from trivium.compare.splits import Splits, make_splits
from trivium.data.example_reader import read_examples
from trivium.project.task_schema import Task


def splits_of(task: Task, seed: int) -> Splits:
    """The splits of a section's data, drawn by the project's seed. Raises as `read_examples` and `make_splits` do."""
    examples = read_examples(task.data, split=task.split, columns=task.columns)
    test = None if task.test_split is None else read_examples(task.data, split=task.test_split, columns=task.columns)
    return make_splits(examples, held_out=task.held_out, seed=seed, test=test, held_out_items=task.items)
