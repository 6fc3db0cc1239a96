"""report.html: one page that stands alone, for a person who was not there.

What was asked, what was expected and measured, the loss curves, samples, the data, and the file to do it again. Every
text of users and models is escaped by the template engine.
"""

__all__ = ["loss_curves", "memory_bars", "render_report", "report_context"]

import io
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import jinja2
from matplotlib.figure import Figure

from trivium.train.bill import quantity

_COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea")
_PARTS = ("weights", "gradients", "optimizer", "rest")


def render_report(context: Mapping[str, Any]) -> str:
    """The page."""
    source = resources.files("trivium.project").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(count=_count, quantity=quantity, percent=_percent)
    return environment.from_string(source).render(context)


def report_context(result: Mapping[str, Any], metrics: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What the template shows: the result of a project, and its curves drawn from each model's metrics."""
    lines = [line for model in result["models"] for line in model["bill"]["lines"] if line["note"]]
    notes = list(dict.fromkeys(f"{line['what'].capitalize()}: {line['note']}" for line in lines))
    return {**result, "curves": loss_curves(metrics), "memory": memory_bars(result["models"]), "notes": notes}


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
    return _svg(figure)


def memory_bars(models: Sequence[Mapping[str, Any]]) -> str:
    """What a step's tensors were expected to take and took, as SVG: two bars a model, stacked by what they are for."""
    figure = Figure(figsize=(7.4, 0.6 + 0.75 * max(1, len(models))), layout="constrained")
    panel = figure.subplots()
    bars = [
        (f"{model['quote']['name']}, {when}", memory)
        for model in models
        for when, memory in (("expected", model["quote"]["memory"]), ("measured", model["result"]["memory"]))
        if memory
    ]
    left = [0.0] * len(bars)
    for part, colour in zip(_PARTS, _COLOURS, strict=True):
        widths = [memory[part] / 1e6 for _, memory in bars]
        panel.barh([name for name, _ in bars], widths, left=left, color=colour, label=part, height=0.7)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    panel.invert_yaxis()
    panel.set_xlabel("MB")
    panel.spines[["top", "right"]].set_visible(False)
    if bars:
        panel.legend(frameon=False, fontsize=8, ncols=len(_PARTS), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return _svg(figure)


def _svg(figure: Figure) -> str:
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
