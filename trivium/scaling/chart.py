"""What several laws would buy for a compute, and what published models bought: a picture. No torch."""

__all__ = ["PUBLISHED_MODELS", "Marked", "law_chart"]

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trivium.scaling.law import Law

_COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626", "#0891b2", "#4b5563")


@dataclass(frozen=True)
class Marked:
    """A model to mark in the picture: parameters, tokens of training, and FLOPs (6 N D)."""

    name: str
    parameters: float | int
    tokens: float | int
    rate: float | int = 6

    @property
    def flops(self) -> float:
        """`rate` · N · D."""
        return float(self.rate * self.parameters * self.tokens)


#: As their papers state them: Brown et al. 2020 (table D.1), Rae et al. 2021, Hoffmann et al. 2022, Touvron et al.
#: 2023, BigScience 2022, Wu et al. 2023.
PUBLISHED_MODELS: tuple[Marked, ...] = (
    Marked("GPT-3", 174.6e9, 300e9),
    Marked("Gopher", 280e9, 300e9),
    Marked("Chinchilla", 70e9, 1.4e12),
    Marked("LLaMA 65B", 65.3e9, 1.4e12),
    Marked("BLOOM", 176.2e9, 366e9),
    Marked("BloombergGPT", 50.6e9, 569e9),
)


def law_chart(laws: Sequence[Law], points: Sequence[Marked] = PUBLISHED_MODELS) -> Figure:
    """Optimal parameters and tokens against FLOPs, a line a law: dashed where it is beyond the runs of its fit."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    sizes, data = figure.subplots(1, 2)
    reached = [point.flops for point in points] or [1e21]
    flops = np.geomspace(min(1e18, min(reached) / 10), max(1e25, 10 * max(reached)), 100)
    for index, law in enumerate(laws):
        optima = [law.optimum(float(each)) for each in flops]
        inside = np.array([not law.beyond(each.parameters, each.tokens) for each in optima])
        colour = _COLOURS[index % len(_COLOURS)]
        _line(sizes, flops, np.array([each.parameters for each in optima]), inside, colour, law.title)
        _line(data, flops, np.array([each.tokens for each in optima]), inside, colour, law.title)
    for panel, label in ((sizes, "parameters"), (data, "tokens")):
        panel.set(xscale="log", yscale="log", xlabel="FLOPs of training", ylabel=label)
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.2)
    _mark(sizes, points, [float(point.parameters) for point in points], float(flops[-1]))
    _mark(data, points, [float(point.tokens) for point in points], float(flops[-1]))
    sizes.legend(frameon=False, fontsize=8, title="dashed: beyond the runs of the fit", title_fontsize=7)
    return figure


def _line(
    panel: Axes,
    flops: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    inside: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    colour: str,
    title: str,
) -> None:
    panel.plot(flops, values, "--", color=colour, linewidth=0.9, alpha=0.8)
    panel.plot(flops, np.where(inside, values, np.nan), color=colour, linewidth=2.0, label=title)


def _mark(panel: Axes, points: Sequence[Marked], values: Sequence[float], right: float) -> None:
    """Dots, and their names in a column at the right, far enough apart to be read, with a line to each."""
    low, high = (math.log10(limit) for limit in panel.get_ylim())
    height = (high - low) / 16
    free = -math.inf
    for value, point in sorted(zip(values, points, strict=True), key=lambda pair: pair[0]):
        place = free = max(math.log10(value), free + height)
        panel.plot([point.flops], [value], "o", color="#111827", markersize=4)
        panel.annotate(
            point.name,
            (point.flops, value),
            xytext=(right * 1.5, 10**place),
            fontsize=7.5,
            va="center",
            arrowprops={"arrowstyle": "-", "color": "#9ca3af", "linewidth": 0.6},
            annotation_clip=False,
        )
