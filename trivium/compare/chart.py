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
#: Of a name: how far from its point, the height of a line, the width of a letter; in points of the page.
_GAP, _LINE, _LETTER = 10.0, 13.0, 5.5


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
    shown: set[str] = set()
    for point in points:
        colour, x, y = _COLOURS[point.kind], 1e3 * point.seconds, point.score.value
        low, high = (y if end is None else end for end in (point.score.low, point.score.high))
        axes.plot([x, x], [low, high], color=colour, linewidth=1.3)
        axes.plot([x, max(x, 1e3 * point.p95_seconds)], [y, y], color=colour, linewidth=1.3, alpha=0.6)
        area = max(_AREA[0], _AREA[1] * point.memory_bytes / largest)
        label = "_" if point.kind in shown else point.kind
        axes.scatter([x], [y], s=area, color=colour, alpha=0.45, linewidths=0, label=label)
        axes.plot([x], [y], ".", color=colour, markersize=3)
        shown.add(point.kind)
    _frame(axes, points[0].score)
    _label(axes, points)
    legend = axes.legend(frameon=False, fontsize=8.5, loc="lower left", ncols=5, bbox_to_anchor=(0.0, 1.0))
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_sizes([45.0])  # type: ignore[attr-defined]
    return figure


def _label(axes: Axes, points: Sequence[Point]) -> None:
    """Each name beside its point, moved down as far as others are in its way."""
    taken: list[tuple[float, float, float]] = []
    for point in points:
        at = axes.transData.transform((1e3 * point.seconds, point.score.value)) * 72 / axes.figure.dpi
        left, height = float(at[0]) + _GAP, float(at[1])
        right = left + _LETTER * len(point.name)
        while any(abs(height - other) < _LINE and left < end and start < right for start, end, other in taken):
            height -= 1
        taken.append((left, right, height))
        moved = height - float(at[1])
        axes.annotate(
            point.name,
            (1e3 * point.seconds, point.score.value),
            xytext=(_GAP, moved),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            fontweight="bold" if point.may_be_best else "normal",
            arrowprops={"arrowstyle": "-", "color": "#94a3b8", "linewidth": 0.6} if moved else None,
        )


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
