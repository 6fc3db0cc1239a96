"""The labels of a task: which there are, and what each is numbered. No torch."""

__all__ = ["label_numbers", "labels_of", "weights_of"]

from collections.abc import Mapping, Sequence

from trivium.data.examples import Examples
from trivium.errors import DataError, nearest
from trivium.finetune.settings import FineTuneSettings

#: The name of what a regression says, as transformers calls it.
_NUMBER = ("LABEL_0",)


def labels_of(train: Examples, given: Sequence[str] = ()) -> tuple[str, ...]:
    """The labels to teach: those of the examples, in alphabetical order, or those that are given, in their order.

    A task without labels has none; a number has one name. Raises `DataError` for a given label that no example has, a
    label of the examples that is not given, and where there is but one label to tell from none.
    """
    if train.form == "regression":
        return tuple(given) or _NUMBER
    counts = train.label_counts
    if not counts:
        return ()
    empty = [label for label in given if label not in counts]
    if empty:
        raise DataError(
            f"No example of {train.where} has the label {', '.join(map(repr, empty))}, so it cannot be learned."
            f"{nearest(empty[0], counts)} Give examples of it, or leave it out of the labels."
        )
    if given:
        label_numbers(train, given)
    if len(counts) == 1 and train.form == "classification":
        raise DataError(
            f"All {len(train):,} examples of {train.where} have the label {next(iter(counts))!r}: there is nothing to "
            "tell it from. Give examples of another label."
        )
    return tuple(given) or tuple(counts)


def label_numbers(examples: Examples, labels: Sequence[str]) -> dict[str, int]:
    """The number of each label. Raises `DataError` where an example has a label that is none of them."""
    numbers = {label: number for number, label in enumerate(labels)}
    unknown = [label for label in examples.labels if label not in numbers]
    if unknown:
        label = unknown[0]
        count = sum(label in example.labels for example in examples)
        more = f" (and {len(unknown) - 1} other unknown labels)" if len(unknown) > 1 else ""
        raise DataError(
            f"{count:,} of the {len(examples):,} examples of {examples.where} have the label {label!r}{more}, which "
            f"the model is not taught: it knows {', '.join(map(repr, labels[:20]))}{' ...' if labels[20:] else ''}."
            f"{nearest(label, labels)} Rename or remove it, or give it to the training examples too."
        )
    return numbers


def weights_of(train: Examples, labels: Sequence[str], settings: FineTuneSettings) -> tuple[float, ...] | None:
    """What each label's examples weigh, of mean 1 over the examples; None where all are alike.

    "balanced" is n / (k · n_c) with n examples, k labels and n_c of label c, as scikit-learn has it. Raises `DataError`
    where weights are given for other labels than those that there are.
    """
    counts, chosen = train.label_counts, settings.class_weights
    if chosen == "equal":
        return None
    if isinstance(chosen, Mapping):
        odd = sorted(set(chosen) ^ set(labels))
        if odd:
            raise DataError(
                f"class_weights gives a number for {', '.join(map(repr, sorted(chosen)))}, and the labels are "
                f"{', '.join(map(repr, labels))}: {odd[0]!r} is on one side only. Give each label one."
            )
        raw = [chosen[label] for label in labels]
    else:
        raw = [1 / counts[label] for label in labels]
    mean = sum(weight * counts[label] for weight, label in zip(raw, labels, strict=True)) / sum(counts.values())
    return tuple(weight / mean for weight in raw)
