"""report.html: one page that stands alone, for a person who was not there.

What was asked, what was expected and measured, the loss curves, samples, the data, and the file to do it again. Every
text of users and models is escaped by the template engine.
"""

__all__ = ["loss_curves", "render_report", "report_context"]

import io
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import jinja2
from matplotlib.figure import Figure

_COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea")


def render_report(context: Mapping[str, Any]) -> str:
    """The page."""
    source = resources.files("trivium.project").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(count=_count, quantity=_quantity, percent=_percent)
    return environment.from_string(source).render(context)


def report_context(result: Mapping[str, Any], metrics: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What the template shows: the result of a project, and its curves drawn from each model's metrics."""
    return {**result, "curves": loss_curves(metrics)}


def loss_curves(metrics: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """A panel a model, as SVG: training loss (and smoothed over a fiftieth of the run), held-out loss."""
    figure = Figure(figsize=(3.7 * max(1, len(metrics)), 3.0), layout="constrained")
    panels = figure.subplots(1, max(1, len(metrics)), squeeze=False)[0]
    for (name, rows), panel, colour in zip(metrics.items(), panels, _COLOURS * len(metrics), strict=False):
        trained = [(row["tokens"] / 1e6, row["loss"]) for row in rows if "loss" in row]
        tokens_at = {row["step"]: row["tokens"] / 1e6 for row in rows if "loss" in row}
        checked = [
            (tokens_at[row["step"]], row["validation"]["loss"])
            for row in rows
            if "validation" in row and row["step"] in tokens_at
        ]
        if trained:
            millions, losses = zip(*trained, strict=True)
            panel.plot(millions, losses, color=colour, alpha=0.2, linewidth=0.7)
            panel.plot(millions, _smooth(losses), color=colour, linewidth=1.4, label="training")
        if checked:
            panel.plot(*zip(*checked, strict=True), "o", color="#111827", markersize=3.5, label="held out")
        panel.set_title(name, fontsize=10)
        panel.set_xlabel("million tokens")
        panel.set_ylabel("loss, nats a target")
        panel.spines[["top", "right"]].set_visible(False)
        if trained or checked:
            panel.legend(frameon=False, fontsize=8)
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]


def _smooth(losses: Sequence[float]) -> list[float]:
    weight, mean, out = 1 - 1 / max(1, len(losses) // 50), losses[0], []
    for loss in losses:
        mean = weight * mean + (1 - weight) * loss
        out.append(mean)
    return out


def _count(value: float | int) -> str:
    return f"{value:,.0f}"


def _percent(value: float | int) -> str:
    return f"{100 * value:+.1f} %"


def _quantity(value: float | int, unit: str) -> str:
    """A number with its unit, scaled: 6.14e9 FLOP/s → 6.14 GFLOP/s."""
    if unit == "s":
        return f"{value:,.1f} s" if value < 120 else f"{int(value // 60)} min {value % 60:.0f} s"
    for scale, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if unit and value >= scale:
            return f"{value / scale:.3g} {prefix}{unit}"
    return f"{value:,.0f} {unit}".strip()
