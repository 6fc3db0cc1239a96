"""Scores as pictures: figures with intervals, and whether a predictor is right as often as it is sure. No torch."""

__all__ = ["reliability_chart", "score_chart"]

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trivium.errors import UsageError
from trivium.metrics.calibration import BINS
from trivium.metrics.metric import Metric

_BLUE, _ORANGE, _GREY, _INK = "#2563eb", "#d97706", "#94a3b8", "#111827"
_INCHES_A_ROW: Final = 0.42


def score_chart(panels: Mapping[str, Sequence[tuple[str, Metric]]]) -> Figure:
    """A panel for each task: a row for each model, its figure with the interval.

    Raises `UsageError` where there is nothing to draw.
    """
    panels = {task: rows for task, rows in panels.items() if rows}
    if not panels:
        raise UsageError("There is nothing to draw: no model was measured on any task.")
    sizes = [len(rows) for rows in panels.values()]
    height = sum(0.85 + _INCHES_A_ROW * size for size in sizes)
    figure = Figure(figsize=(8.0, height), layout="constrained")
    drawn = figure.subplots(len(panels), 1, height_ratios=[1 + size for size in sizes], squeeze=False)[:, 0]
    for axes, (task, rows) in zip(drawn, panels.items(), strict=True):
        for place, (_, metric) in enumerate(rows):
            if metric.low is not None and metric.high is not None:
                axes.plot([metric.low, metric.high], [place, place], color=_BLUE, linewidth=2.2, alpha=0.55)
            axes.plot([metric.value], [place], "o", color=_BLUE, markersize=6)
            axes.annotate(
                str(metric), (metric.value, place), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8
            )
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.75)
        axes.margins(x=0.12)
        _plain(axes, f"{task}: {rows[0][1].name}, {rows[0][1].items:,} items")
    return figure


def reliability_chart(confidence: Sequence[float], right: Sequence[bool], title: str = "") -> Figure:
    """How often a predictor is right where it is so sure, beside the diagonal of one that keeps its word.

    The bins are those of the expected calibration error; below, how many items each has.
    """
    sure, hits = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    edges = np.linspace(0, 1, BINS + 1)
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    share = np.bincount(place, weights=hits, minlength=BINS) / np.maximum(count, 1)
    middle = (edges[:-1] + edges[1:]) / 2
    figure = Figure(figsize=(6.0, 6.0), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    above.plot([0, 1], [0, 1], color=_GREY, linestyle=(0, (4, 2)), linewidth=1.2)
    filled = count > 0
    above.bar(middle[filled], share[filled], width=0.9 / BINS, color=_BLUE, alpha=0.75)
    above.set_ylim(0, 1.02)
    above.set_ylabel("share that is right")
    _plain(above, title)
    below.bar(middle, count, width=0.9 / BINS, color=_ORANGE, alpha=0.75)
    below.set_ylabel("items")
    below.set_xlabel("probability of the label that is said")
    below.set_xlim(0, 1)
    _plain(below, "")
    return figure


def _plain(axes: Axes, title: str) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title(title, loc="left", fontsize=10, color=_INK)
