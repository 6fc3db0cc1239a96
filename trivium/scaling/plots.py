"""A fit as one figure: the points, the valleys, the residuals and the optimum. No torch."""

__all__ = ["Drawable", "draw"]

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from trivium.scaling.envelope import FrontierPoint
from trivium.scaling.estimates import OptimumEstimate
from trivium.scaling.frontier import FrontierLaw
from trivium.scaling.isoflop import Valley, budgets_of
from trivium.scaling.parametric import Optimum, ParametricLaw
from trivium.scaling.points import Point

_LAW, _INK, _OUTLIER = "#d97706", "#111827", "#dc2626"
_SIZES = colormaps["viridis"]
#: The optimum is drawn for so many times the largest compute of the points.
_BEYOND = 10.0
_MOST_VALLEYS = 9


@runtime_checkable
class Drawable(Protocol):
    """What the figure reads of a `Fit`, which draws itself by this page."""

    @property
    def law(self) -> ParametricLaw | FrontierLaw:
        """The fitted law."""
        ...

    @property
    def points(self) -> tuple[Point, ...]:
        """What it was fitted to, outliers and all."""
        ...

    @property
    def residuals(self) -> tuple[float | None, ...]:
        """Measured less predicted log loss of each point."""
        ...

    @property
    def outliers(self) -> tuple[int, ...]:
        """The numbers of the points far from the rest."""
        ...

    @property
    def dropped(self) -> bool:
        """Whether those were left out."""
        ...

    @property
    def frontier(self) -> tuple[FrontierPoint, ...]:
        """The best sizes that power laws were drawn through."""
        ...

    @property
    def valleys(self) -> tuple[Valley, ...]:
        """The parabolas of approach 2."""
        ...

    @property
    def flops_per_parameter_and_token(self) -> float:
        """C over N D."""
        ...

    def optimum(self, flops: float | int) -> OptimumEstimate:
        """The best size and tokens for a budget."""
        ...

    def optimum_of(self, law: ParametricLaw | FrontierLaw, flops: float | int) -> Optimum:
        """The best size and tokens by a law."""
        ...


def draw(fit: Drawable, budgets: Sequence[float] = ()) -> Figure:
    """Loss against compute with the frontier, IsoFLOP valleys, residuals, and the optimum with its band.

    `budgets` are marked on the optimum. A panel that the fit has nothing for says so.
    """
    figure = Figure(figsize=(10.5, 7.6), layout="constrained")
    (first, second), (third, fourth) = figure.subplots(2, 2)
    _loss_against_compute(first, fit)
    _valleys(second, fit)
    _residuals(third, fit)
    _optimum(fourth, fit, budgets)
    for panel in (first, second, third, fourth):
        panel.spines[["top", "right"]].set_visible(False)
        panel.title.set_fontsize(10)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(frameon=False, fontsize=8)
    return figure


def _loss_against_compute(panel: Axes, fit: Drawable) -> None:
    flops = [point.flops for point in fit.points]
    sizes = [point.parameters for point in fit.points]
    panel.set_title("Loss against compute")
    runs: dict[str, list[int]] = {}
    for index, point in enumerate(fit.points):
        if point.run:
            runs.setdefault(point.run, []).append(index)
    scale = LogNorm(min(sizes), max(sizes) * 1.001)
    for members in runs.values():
        ordered = sorted(members, key=lambda index: flops[index])
        xs, ys = [flops[index] for index in ordered], [fit.points[index].loss for index in ordered]
        panel.plot(xs, ys, color=_SIZES(scale(sizes[members[0]])), linewidth=0.7, alpha=0.7)
    drawn = panel.scatter(flops, [point.loss for point in fit.points], c=sizes, norm=scale, cmap=_SIZES, s=9)
    panel.figure.colorbar(drawn, ax=panel, label="parameters", pad=0.01)
    _ring_outliers(panel, fit, flops, [point.loss for point in fit.points])
    if isinstance(fit.law, ParametricLaw):
        grid = np.geomspace(min(flops), max(flops) * _BEYOND, 100)
        best = [fit.optimum_of(fit.law, value).loss or np.nan for value in grid]
        panel.plot(grid, best, color=_LAW, label="frontier: E + A/N^α + B/D^β at the optimum")
        panel.axhline(fit.law.irreducible, color=_INK, linewidth=0.8, linestyle=":", label="E")
    elif fit.frontier:
        lowest = np.array([(point.flops, point.loss) for point in fit.frontier])
        panel.plot(*lowest.T, color=_LAW, marker="o" if fit.valleys else None, markersize=4, label="frontier")
    panel.set(xscale="log", xlabel="FLOPs", ylabel="loss, nats a token")


def _valleys(panel: Axes, fit: Drawable) -> None:
    panel.set_title("IsoFLOP valleys")
    if isinstance(fit.law, FrontierLaw) and not fit.valleys:
        _say(panel, "an envelope has no valleys")
        return
    budgets = [
        (budget, float(np.exp(np.mean([np.log(fit.points[index].flops) for index in budget]))))
        for budget in budgets_of(fit.points)
        if len({fit.points[index].parameters for index in budget}) > 2
    ]
    spans = [fit.points[budget[-1]].flops / fit.points[budget[0]].flops for budget, _ in budgets]
    budgets = [found for found, span in zip(budgets, spans, strict=True) if span < 1.25][:_MOST_VALLEYS]
    if not budgets:
        _say(panel, "no three sizes share a budget")
        return
    for number, (budget, flops) in enumerate(budgets):
        colour = _SIZES(number / max(1, len(budgets) - 1))
        sizes = np.array([fit.points[index].parameters for index in budget])
        panel.plot(
            sizes, [fit.points[i].loss for i in budget], "o", color=colour, markersize=3.5, label=f"{flops:.1e} FLOPs"
        )
        grid = np.geomspace(sizes.min(), sizes.max(), 60)
        valley = next((valley for valley in fit.valleys if budget[0] in valley.members), None)
        if isinstance(fit.law, ParametricLaw):
            tokens = flops / fit.flops_per_parameter_and_token / grid
            panel.plot(grid, [fit.law.loss(*pair) for pair in zip(grid, tokens, strict=True)], color=colour)
        elif valley is not None:
            style = "-" if valley.lowest else ":"
            panel.plot(grid, [valley.loss(size) for size in grid], style, color=colour)
    lowest = [valley.lowest for valley in fit.valleys if valley.lowest]
    panel.plot([p.parameters for p in lowest], [p.loss for p in lowest], "x", color=_LAW, markersize=8)
    panel.set(xscale="log", xlabel="parameters", ylabel="loss, nats a token")


def _residuals(panel: Axes, fit: Drawable) -> None:
    panel.set_title("Residuals")
    there = [index for index, value in enumerate(fit.residuals) if value is not None]
    if not there:
        _say(panel, "an envelope predicts no losses")
        return
    percent = [100 * np.expm1(value) for value in fit.residuals if value is not None]
    flops = [fit.points[index].flops for index in there]
    panel.axhline(0, color=_INK, linewidth=0.8)
    panel.plot(flops, percent, "o", color="#2563eb", markersize=3.5, alpha=0.7)
    at = dict(zip(there, percent, strict=True))
    _ring_outliers(panel, fit, [point.flops for point in fit.points], [at.get(i, 0.0) for i in range(len(fit.points))])
    panel.set(xscale="log", xlabel="FLOPs", ylabel="measured over predicted loss, %")


def _optimum(panel: Axes, fit: Drawable, budgets: Sequence[float]) -> None:
    panel.set_title("Optimum")
    flops = np.array([point.flops for point in fit.points])
    grid = np.geomspace(flops.min(), max([flops.max() * _BEYOND, *budgets]), 60)
    found = [fit.optimum(value) for value in grid]
    for name, values, bands, colour in (
        ("parameters", [o.optimum.parameters for o in found], [o.parameters for o in found], "#2563eb"),
        ("tokens", [o.optimum.tokens for o in found], [o.tokens for o in found], "#059669"),
    ):
        panel.plot(grid, values, color=colour, label=name)
        if all(bands):
            low, high = zip(*[(band.low, band.high) for band in bands if band], strict=True)
            panel.fill_between(grid, low, high, color=colour, alpha=0.18, linewidth=0)
    for point in fit.frontier:
        panel.plot(point.flops, point.parameters, ".", color="#2563eb", markersize=4)
    panel.axvline(flops.max(), color=_INK, linewidth=0.8, linestyle=":", label="largest compute measured")
    for budget in budgets:
        best = fit.optimum(budget).optimum
        panel.plot([budget] * 2, [best.parameters, best.tokens], "o", color=_LAW, markersize=5)
    panel.set(xscale="log", yscale="log", xlabel="FLOPs", ylabel="best number of each")


def _ring_outliers(panel: Axes, fit: Drawable, xs: Sequence[float], ys: Sequence[float]) -> None:
    if fit.outliers:
        label = "outlier, left out" if fit.dropped else "outlier"
        chosen = [xs[i] for i in fit.outliers], [ys[i] for i in fit.outliers]
        panel.plot(*chosen, "o", color=_OUTLIER, markerfacecolor="none", markersize=7, label=label)


def _say(panel: Axes, text: str) -> None:
    panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", color="#6b7280")
    panel.set(xticks=[], yticks=[])
