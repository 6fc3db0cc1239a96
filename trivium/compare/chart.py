"""Quality against latency, as a picture. No torch."""

__all__ = ["Point", "quality_chart"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from trivium.metrics.metric import Metric

#: By the kind of model.
_COLOURS: Final = {
    "baseline": "#64748b",
    "encoder": "#2563eb",
    "decoder": "#d97706",
    "encoder-decoder": "#059669",
}
#: A marker's area in points², at least; and at the largest memory.
_AREA: Final = (30.0, 700.0)


@dataclass(frozen=True)
class Point:
    """A candidate in the picture."""

    name: str
    score: Metric
    seconds: float
    p95_seconds: float
    memory_bytes: int
    kind: str
    may_be_best: bool


def quality_chart(points: Sequence[Point]) -> Figure:
    """Each candidate's score with its interval over the seconds of a request, up to their 95th percentile.

    The area of a point is its memory. The names of those that may be the best are bold.
    """
    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    axes = figure.subplots()
    largest = max(point.memory_bytes for point in points)
    heights = _label_heights(points)
    shown: set[str] = set()
    for point, height in zip(points, heights, strict=True):
        colour, x, y = _COLOURS[point.kind], 1e3 * point.seconds, point.score.value
        low, high = (y if end is None else end for end in (point.score.low, point.score.high))
        axes.plot([x, x], [low, high], color=colour, linewidth=1.3)
        axes.plot([x, max(x, 1e3 * point.p95_seconds)], [y, y], color=colour, linewidth=1.3, alpha=0.6)
        area = max(_AREA[0], _AREA[1] * point.memory_bytes / largest)
        label = "_" if point.kind in shown else point.kind
        axes.scatter([x], [y], s=area, color=colour, alpha=0.45, linewidths=0, label=label)
        axes.plot([x], [y], ".", color=colour, markersize=3)
        shown.add(point.kind)
        axes.annotate(
            point.name,
            (x, y),
            xytext=(9, height),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            fontweight="bold" if point.may_be_best else "normal",
            arrowprops={"arrowstyle": "-", "color": "#94a3b8", "linewidth": 0.6} if height else None,
        )
    _frame(axes, points[0].score)
    legend = axes.legend(frameon=False, fontsize=8.5, loc="lower left", ncols=5, bbox_to_anchor=(0.0, 1.0))
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_sizes([45.0])  # type: ignore[attr-defined]
    return figure


def _label_heights(points: Sequence[Point]) -> list[float]:
    """By how many points of the page each name is moved up or down, so that no two near each other touch."""
    low = min(point.score.value for point in points)
    room = max(point.score.value for point in points) - low or 1.0
    placed: list[tuple[float, float]] = []
    heights = []
    for point in points:
        wanted = 300 * (point.score.value - low) / room
        where = wanted
        while any(
            abs(where - other) < 12 and 0.02 < (point.seconds + 1e-9) / (seconds + 1e-9) < 50
            for other, seconds in placed
        ):
            where -= 3
        placed.append((where, point.seconds))
        heights.append(where - wanted)
    return heights


def _frame(axes: Axes, score: Metric) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    left, right = axes.get_xlim()
    axes.set_xlim(left, right * (right / left) ** 0.25)  # room for the names
    axes.set_xlabel("milliseconds of a request of one item, median to 95th percentile (area: memory)", fontsize=9)
    axes.set_ylabel(f"{score.name.replace('_', ' ')}, {score.confidence:.0%} interval", fontsize=9)
    axes.tick_params(labelsize=8.5)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
