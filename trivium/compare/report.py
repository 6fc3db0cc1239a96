"""report.html: a comparison on one page that stands alone, for a person who was not there."""

__all__ = ["render_report", "write_report"]

import io
from importlib import resources
from pathlib import Path
from typing import Final

import jinja2
import matplotlib
import yaml

from trivium.compare.comparison import COLUMNS, Comparison
from trivium.files import atomic_write

_SHOWN_CHARACTERS: Final = 1500


def render_report(comparison: Comparison, chart: str) -> str:
    """The page with its picture as SVG; every text of users and models is escaped by the template engine."""
    source = resources.files("trivium.compare").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    settings = yaml.safe_dump(comparison.settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    first = {name: each.measurements[0] for name, each in comparison.measured.items()}
    return environment.from_string(source).render(
        title=f"{comparison.ranking.best.score.name.replace('_', ' ')} on {comparison.settings.data}",
        comparison=comparison,
        columns=COLUMNS,
        rows=comparison.rows(),
        chart=chart,
        how={name: each.how for name, each in first.items()},
        inputs={name: each.predictions[0].input[:_SHOWN_CHARACTERS] for name, each in first.items()},
        settings=settings,
    )


def write_report(comparison: Comparison, folder: Path) -> None:
    """The page, and its picture by itself."""
    chart = _chart(comparison)
    atomic_write(folder / "comparison.svg", chart + "\n")
    atomic_write(folder / "report.html", render_report(comparison, chart).encode(errors="backslashreplace"))


def _chart(comparison: Comparison) -> str:
    drawn = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "trivium"}):
        comparison.plot().savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]
