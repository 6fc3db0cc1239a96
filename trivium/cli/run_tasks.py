"""What `trivium run` shows of the tasks of a project: fine-tuning, prompts, a comparison."""

__all__ = ["show_tasks"]

from collections.abc import Mapping, Sequence
from typing import Any

from trivium.cli.console import Table, emit, printable


def show_tasks(content: Mapping[str, Any]) -> None:
    """Print the tasks that a project has done."""
    for name, one in content["finetuned"].items():
        _show_finetuned(name, one)
    for name, one in content["prompts"].items():
        _show_prompts(name, one)
    if content["comparison"]:
        _show_comparison(content["comparison"])


def _show_finetuned(name: str, one: Mapping[str, Any]) -> None:
    from trivium.train.bill import Line

    rows = [
        (metric["name"], f"{metric['value']:.4g}", _interval(metric))
        for metric in one["evaluation"]["metrics"].values()
    ]
    title = f"\n{name}: {one['model']} taught {one['task']}, on {one['evaluation']['items']:,} held-out examples"
    _table(title, ("metric", "value", "95 % interval"), rows)
    bill = [Line.from_dict(line).cells() for line in one["bill"]]
    _table(f"\nThe bill of {name}", ("what", "expected", "measured", "error"), bill)


def _show_prompts(name: str, one: Mapping[str, Any]) -> None:
    for text in one["first"].values():
        emit(None, as_json=False, human=f"\n{name}: the first whole prompt with most shots\n{printable(text)}")
    rows = [
        (
            row["shots"]["count"],
            row["way"],
            f"{row['accuracy']['value']:.1%}",
            _interval(row["accuracy"]),
            ", ".join(f"{label} {share:.0%}" for label, share in row["lean"]["said"].items()),
            row["lean"]["leans_to"] or "",
        )
        for row in one["rows"]
    ]
    columns = ("shots", "choice by", "accuracy", "95 % interval", "labels said", "leans to")
    title = f"\n{name}: {one['model']} as it is, on {one['items']:,} held-out examples"
    _table(title, columns, rows)


def _show_comparison(one: Mapping[str, Any]) -> None:
    table = one["table"]
    _table("\nWhich model does it best", table["columns"], table["rows"])
    for failure in one["failed"]:
        emit(None, as_json=False, human=f"{failure['name']} failed: {failure['reason']}")
    emit(None, as_json=False, human=f"\n{one['said']}")


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """The title on a line of its own: over a narrow table it would be broken."""
    emit(None, as_json=False, human=title)
    emit(None, as_json=False, human=Table(columns, rows))


def _interval(metric: Mapping[str, Any]) -> str:
    low, high = metric["low"], metric["high"]
    return "" if low is None or high is None else f"{low:.4g} to {high:.4g}"
