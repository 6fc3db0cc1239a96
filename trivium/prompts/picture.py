"""Accuracy by the number of shots, with intervals, as a picture. No torch."""

__all__ = ["Curve", "accuracy_chart"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.figure import Figure

from trivium.metrics.metric import Metric

_COLOURS: Final = ("#2563eb", "#d97706", "#059669", "#9333ea", "#db2777", "#0891b2", "#65a30d", "#b45309")
_MARKS: Final = ("o", "s", "^", "D", "v")


@dataclass(frozen=True)
class Curve:
    """A line: accuracies at numbers of shots, and the lowest and highest of a seed at each."""

    name: str
    shots: Sequence[int]
    accuracies: Sequence[Metric]
    spreads: Sequence[tuple[float, float]]


def accuracy_chart(curves: Sequence[Curve], title: str = "", chance: float | None = None) -> Figure:
    """A line a curve; bars are the intervals of the means, the band behind is the range over seeds."""
    figure = Figure(figsize=(8.0, 4.4), layout="constrained")
    axes = figure.subplots()
    numbers = sorted({shots for curve in curves for shots in curve.shots})
    places = {shots: place for place, shots in enumerate(numbers)}  # evenly: 0, 1, 4, 16 crowd on a linear axis
    for number, curve in enumerate(curves):
        colour, mark = _COLOURS[number % len(_COLOURS)], _MARKS[number // len(_COLOURS) % len(_MARKS)]
        at = [places[shots] + 0.05 * (number - (len(curves) - 1) / 2) for shots in curve.shots]
        values = [100 * metric.value for metric in curve.accuracies]
        ends = [
            (100 * (m.value if m.low is None else m.low), 100 * (m.value if m.high is None else m.high))
            for m in curve.accuracies
        ]
        errors = [[v - low for v, (low, _) in zip(values, ends, strict=True)],
                  [high - v for v, (_, high) in zip(values, ends, strict=True)]]  # fmt: skip
        lows, highs = ([100 * spread[end] for spread in curve.spreads] for end in (0, 1))
        axes.fill_between(at, lows, highs, color=colour, alpha=0.10, linewidth=0)
        axes.errorbar(
            at, values, errors, color=colour, marker=mark, markersize=4.5, linewidth=1.6, elinewidth=1, label=curve.name
        )
    if chance is not None:
        axes.axhline(100 * chance, color="#64748b", linewidth=1, linestyle=(0, (4, 2)))
    axes.set_xticks(range(len(numbers)), [str(shots) for shots in numbers])
    axes.set_xlabel("shots", fontsize=9)
    axes.set_ylabel("accuracy, %", fontsize=9)
    axes.tick_params(labelsize=8.5)
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, fontsize=11, loc="left")
    figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8)
    return figure
