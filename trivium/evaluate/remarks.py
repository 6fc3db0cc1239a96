"""What one should know of predictions before one believes their scores: labels that cannot be said, a lean to one of
them, one class only, tags out of order, empty answers. No torch.
"""

__all__ = ["LEAN", "few", "label_remarks", "tag_remarks", "text_remarks"]

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from trivium.data.tag_scheme import scheme_of
from trivium.metrics.tally import LabelScore

#: A label that is said of so much larger a share of the items than have it is leant to.
LEAN: Final = 0.15
_SHOWN: Final = 6


def few(labels: Iterable[str]) -> str:
    """The first labels in alphabetical order, and how many there are besides."""
    distinct = sorted(set(labels))
    more = f" and {len(distinct) - _SHOWN:,} more" if len(distinct) > _SHOWN else ""
    return ", ".join(repr(label) for label in distinct[:_SHOWN]) + more


def label_remarks(rows: Sequence[LabelScore], known: Collection[str], items: int) -> tuple[str, ...]:
    """Of labels; `known` are those that the predictor can say, empty where that is not known."""
    there, said = {row.label for row in rows if row.there}, {row.label for row in rows if row.said}
    remarks = []
    if known and (unknown := there - set(known)):
        count = sum(row.there for row in rows if row.label in unknown)
        remarks.append(
            f"Items with a label that the predictor does not know, which count as wrong: {count:,} of {items:,} "
            f"({few(unknown)})."
        )
    if empty := set(known) - there:
        remarks.append(
            f"No item has the label {few(empty)}, which the predictor knows: how well it is found is not measured."
        )
    if not known and (foreign := said - there):
        count = sum(row.said for row in rows if row.label in foreign)
        remarks.append(f"Predictions that are no label of these items, and count as wrong: {count:,} ({few(foreign)}).")
    if len(there) == 1:
        remarks.append(
            f"All items have the label {few(there)}: who always says it is always right, and mcc is 0 by convention."
        )
    elif len(said) == 1:
        remarks.append(f"The predictor says {few(said)} of every item.")
    leant = max(rows, key=lambda row: row.said - row.there, default=None)
    if leant is not None and len(there) > 1 and len(said) > 1 and leant.said - leant.there > LEAN * items:
        remarks.append(
            f"The predictor leans to {leant.label!r}: it says so of {leant.said / items:.0%} of the items, and "
            f"{leant.there / items:.0%} are."
        )
    return tuple(remarks)


def tag_remarks(truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]], marked: bool) -> tuple[str, ...]:
    """Of tags, those of entities where `marked`."""
    remarks = []
    unsaid = {tag for tags in truth for tag in tags} - {tag for tags in said for tag in tags}
    if unsaid:
        remarks.append(f"Tags of the data that are never said: {few(unsaid)}.")
    if foreign := {tag for tags in said for tag in tags} - {tag for tags in truth for tag in tags}:
        remarks.append(f"Tags are said that the data has not: {few(foreign)}.")
    scheme = scheme_of(truth)
    for whose, sentences in (("the data", truth), ("the predictions", said)) if marked else ():
        if count := sum(len(scheme.breaks(tags)) for tags in sentences):
            remarks.append(f"Tags out of the order of {scheme.name}: {count:,} of {whose}.")
    return tuple(remarks)


def text_remarks(said: Sequence[str], right: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Of answers and texts; no right answer means that there is none."""
    remarks = []
    unanswerable = sum(not answers for answers in right)
    empty = sum(not text.strip() for text in said)
    if unanswerable:
        silent = sum(not text.strip() and not answers for text, answers in zip(said, right, strict=True))
        remarks.append(
            f"Questions without an answer: {unanswerable:,} of {len(right):,}; the predictor says so of {silent:,} of "
            "them."
        )
    if empty:
        remarks.append(f"Empty predictions: {empty:,} of {len(said):,}.")
    return tuple(remarks)
