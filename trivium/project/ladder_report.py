"""A ladder as a picture: loss against compute with the rungs, the frontier of the law, the prediction, the outcome.

C: FLOPs    L: held-out loss in nats a target
"""

__all__ = ["ladder_figure"]

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trivium.project.ladder_fit import Target
from trivium.project.rungs import MeasuredRun

_COLOURS = ("#93c5fd", "#60a5fa", "#3b82f6", "#2563eb", "#1e3a8a")


def ladder_figure(
    title: str,
    runs: Sequence[MeasuredRun],
    law: Callable[[MeasuredRun, float], float],
    frontier: Sequence[tuple[float, float]],
    target: Target,
    measured: float | None = None,
) -> Figure:
    """Draw a ladder.

    `law(run, tokens)` is the fitted loss of a run's size on other tokens, `frontier` the lowest loss for some amounts
    of compute, as pairs. `measured` is the large run's loss, once it is trained.
    """
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    panel = figure.subplots()
    dims = sorted({run.dim for run in runs})
    for number, dim in enumerate(dims):
        colour = _COLOURS[round(number * (len(_COLOURS) - 1) / max(1, len(dims) - 1))]
        _draw_size(panel, [run for run in runs if run.dim == dim], law, colour)
    panel.plot(*zip(*frontier, strict=True), "--", color="#d97706", linewidth=1.4, label="frontier of the law")
    panel.errorbar(
        [target.flops],
        [target.loss],
        yerr=[[target.loss - target.low], [target.high - target.loss]],
        fmt="D",
        color="#d97706",
        capsize=4,
        label=f"predicted {target.loss:.3f} ({target.low:.3f} to {target.high:.3f})",
    )
    if measured is not None:
        error = measured / target.loss - 1
        panel.plot([target.flops], [measured], "*", color="#dc2626", markersize=11, zorder=5,
                   label=f"measured {measured:.3f} ({error:+.1%})")  # fmt: skip
    panel.set(xscale="log", yscale="log", xlabel="FLOPs of training", ylabel="held-out loss, nats a target")
    ticks = np.round(np.linspace(min(target.low, target.loss), max(run.loss for run in runs), 7), 1)
    panel.set_yticks(np.unique(ticks), [f"{tick:.1f}" for tick in np.unique(ticks)], minor=False)
    panel.minorticks_off()
    panel.set_title(title, fontsize=10)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.2)
    panel.legend(frameon=False, fontsize=8)
    return figure


def _draw_size(
    panel: Axes, runs: Sequence[MeasuredRun], law: Callable[[MeasuredRun, float], float], colour: str
) -> None:
    """The runs of one size as dots on the law's curve of that size."""
    first, last = runs[0], runs[-1]
    tokens = np.geomspace(first.tokens, last.tokens, 30)
    flops_per_token = last.flops / last.tokens
    panel.plot(tokens * flops_per_token, [law(first, float(count)) for count in tokens], color=colour, linewidth=1.0)
    label = f"{first.parameters / 1e6:.3g} M parameters"
    panel.plot([run.flops for run in runs], [run.loss for run in runs], "o", color=colour, markersize=4.5, label=label)
