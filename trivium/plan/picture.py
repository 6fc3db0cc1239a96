"""What stands in memory, as bars under the limit of the device. No torch."""

__all__ = ["memory_chart", "save_chart"]

import io
from collections.abc import Mapping
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trivium.errors import UsageError
from trivium.files import atomic_write

#: Of what is in every model; other items take the rest in order of appearance.
_COLOURS = {
    "weights": "#2563eb",
    "gradients": "#d97706",
    "optimizer": "#9333ea",
    "activations": "#059669",
    "temporaries": "#64748b",
    "cache": "#0891b2",
    "logits": "#db2777",
    "gathered": "#65a30d",
    "source": "#4f46e5",
}
_MORE = ("#b45309", "#1e3a8a", "#be123c", "#0f766e", "#a16207", "#475569")
_FORMATS = ("png", "svg")
_UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
#: A label inside a part needs so much of the picture's width for each of its letters.
_LETTER = 0.0125


def memory_chart(items: Mapping[str, Mapping[str, int]], limit_bytes: int | None = None, title: str = "") -> Figure:
    """A bar for each scenario (hold, infer, train), made of its items in bytes, with its total at the end.

    `limit_bytes` is the device's memory, a line: what passes it stands out. Raises `UsageError` where nothing is given.
    """
    if not items or not any(sum(parts.values()) for parts in items.values()):
        raise UsageError("There is nothing to draw: no scenario holds a byte.")
    totals = {name: sum(parts.values()) for name, parts in items.items()}
    unit, size = _unit(max(totals.values()))
    limit = 0.0 if limit_bytes is None else limit_bytes / size
    longest = max(limit, *(total / size for total in totals.values()))
    figure = Figure(figsize=(8.0, 1.5 + 0.62 * len(items)), layout="constrained")
    axes = figure.subplots()
    colours = _colours(items)
    drawn: set[str] = set()
    for place, (name, parts) in enumerate(items.items()):
        start = 0.0
        for part, held in parts.items():
            if held:
                width = held / size
                label = part if part not in drawn else "_"
                drawn.add(part)
                axes.barh(place, width, left=start, height=0.62, color=colours[part], label=label, edgecolor="white")
                _label_part(axes, _number(width), start, width, place, longest, limit)
                start += width
        over = limit_bytes is not None and totals[name] > limit_bytes
        colour = "#b91c1c" if over else "#111827"
        axes.annotate(
            f"{_number(start)} {unit}",
            (start + 0.008 * longest, place),
            va="center",
            fontsize=9,
            color=colour,
            fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    _frame(axes, list(items), longest, unit)
    if limit_bytes is not None:
        axes.axvline(limit, color="#b91c1c", linewidth=1.4, linestyle=(0, (4, 2)))
        right = limit < longest / 3
        axes.annotate(
            f" there are {_number(limit)} {unit} ",
            (limit, -0.55),
            ha="left" if right else "right",
            va="bottom",
            fontsize=8.5,
            color="#b91c1c",
        )
    axes.set_title(title, fontsize=11, loc="left")
    figure.legend(loc="outside lower left", ncols=5, frameon=False, fontsize=8.5)
    return figure


def save_chart(figure: Figure, path: Path) -> None:
    """Write a picture whole or not at all, as its name ends: `.png` or `.svg`. The same figure gives the same file.

    Raises `UsageError` for another ending.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _FORMATS:
        raise UsageError(f"A picture is written as .png or .svg, and {path.name} is neither: name it so.")
    drawn = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with matplotlib.rc_context({"svg.hashsalt": "trivium"}):
        figure.savefig(drawn, format=kind, dpi=160, metadata=metadata)
    atomic_write(path, drawn.getvalue())


def _colours(items: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    more = iter(_MORE * 10)
    found: dict[str, str] = {}
    for part in dict.fromkeys(part for parts in items.values() for part in parts):
        found[part] = _COLOURS.get(part) or next(more)
    return found


def _label_part(axes: Axes, text: str, start: float, width: float, place: int, longest: float, limit: float) -> None:
    """Inside its part of the bar where it has room, and beside the limit where that runs through the part."""
    end = start + width
    if start < limit < end:
        start, end = (start, limit) if limit - start > end - limit else (limit, end)
    if (end - start) / longest > _LETTER * len(text):
        axes.annotate(text, ((start + end) / 2, place), ha="center", va="center", fontsize=8.5, color="white")


def _frame(axes: Axes, names: list[str], longest: float, unit: str) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=9.5)
    axes.set_ylim(len(names) - 0.45, -0.85)  # the first on top, and room for the limit's label above it
    axes.set_xlim(0, 1.14 * longest)
    axes.set_xlabel(unit, fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8.5)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _unit(size: int) -> tuple[str, float]:
    return next(((name, bytes_) for name, bytes_ in _UNITS if size >= bytes_), ("B", 1.0))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.3g}"
