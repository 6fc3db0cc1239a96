"""The figure of a fit: four panels that show what the fit holds, or say that it holds nothing of the kind."""

import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.scaling.planted import CHINCHILLA, curves, isoflops, planted
from trivium.scaling.envelope import FrontierPoint
from trivium.scaling.fit import fit
from trivium.scaling.fitted import Fit
from trivium.scaling.plots import Drawable, draw

TITLES = ["Loss against compute", "IsoFLOP valleys", "Residuals", "Optimum"]


def parametric(points: int = 30) -> Fit:
    """A fit that need not be searched for: Chinchilla's law with itself as the only resample."""
    measured = tuple(planted(5, count=points))
    residuals = tuple(float(np.log(p.loss / CHINCHILLA.loss(p.parameters, p.tokens))) for p in measured)
    return Fit(3, CHINCHILLA, measured, residuals, (1, 2), False, (CHINCHILLA, CHINCHILLA), 6.0, 0)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for panel in figure.axes for text in panel.texts]


def labels(figure: Figure) -> list[str]:
    return [label for panel in figure.axes for label in panel.get_legend_handles_labels()[1]]


def test_four_panels_of_a_law_of_loss() -> None:
    found = parametric()
    assert isinstance(found, Drawable)
    figure = found.plot([1e22])
    assert [panel.get_title() for panel in figure.axes[:4]] == TITLES
    loss, _, residuals, optimum = figure.axes[:4]
    (frontier,) = [line for line in loss.get_lines() if str(line.get_label()).startswith("frontier")]
    compute, losses = (np.asarray(data, dtype=float) for data in frontier.get_data())
    assert losses[0] == pytest.approx(CHINCHILLA.optimum(compute[0]).loss)
    shown = np.asarray(residuals.get_lines()[1].get_ydata(), dtype=float)
    np.testing.assert_allclose(shown, 100 * np.expm1([value for value in found.residuals if value is not None]))
    assert "outlier" in labels(figure)
    marked = np.asarray(optimum.get_lines()[-1].get_ydata(), dtype=float)
    assert marked[0] == pytest.approx(CHINCHILLA.optimum(1e22).parameters)
    assert len(optimum.collections) == 2, "a band for each of N and D"


def test_outliers_that_were_left_out_are_still_shown() -> None:
    assert "outlier, left out" in labels(draw(replace(parametric(), dropped=True)))


def test_valleys_of_a_fit_by_approach_2() -> None:
    found = fit(isoflops(0, sizes=5), 2, bootstrap=5)
    figure = draw(found)
    crosses = figure.axes[1].get_lines()[-1]
    np.testing.assert_allclose(np.asarray(crosses.get_xdata(), float), [point.parameters for point in found.frontier])
    assert "6.0e+18 FLOPs" in labels(figure)


def test_what_an_envelope_does_not_hold_is_said() -> None:
    figure = draw(fit(curves(0, moments=8), 1, bootstrap=0))
    assert texts(figure) == ["an envelope has no valleys", "an envelope predicts no losses"]
    assert len(figure.axes[3].collections) == 0, "no band without a bootstrap"


def test_points_without_budgets_have_no_valleys() -> None:
    assert "no three sizes share a budget" in texts(draw(parametric(6)))


def test_it_is_written_as_a_picture() -> None:
    written = io.StringIO()
    point = FrontierPoint(1e20, 1e9, 1e9, 2.5)
    draw(replace(parametric(), frontier=(point,))).savefig(written, format="svg")
    assert written.getvalue().rstrip().endswith("</svg>")
