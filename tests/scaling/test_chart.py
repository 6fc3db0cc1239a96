"""The picture of laws shows what the laws say."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

from trivium.scaling.chart import PUBLISHED_MODELS, Marked, law_chart
from trivium.scaling.laws import LAWS


def test_lines_are_the_optima_and_thick_where_the_law_was_fitted() -> None:
    laws = [LAWS["besiroglu"], LAWS["kaplan"]]
    sizes, data = law_chart(laws).axes
    for panel, amount in ((sizes, "parameters"), (data, "tokens")):
        dashed = [line for line in panel.lines if line.get_linestyle() == "--"]
        solid = [line for line in panel.lines if line.get_label() in {law.title for law in laws}]
        for law, all_of_it, fitted in zip(laws, dashed, solid, strict=True):
            flops, values = (np.asarray(each, dtype=float) for each in all_of_it.get_data())
            assert values == pytest.approx([getattr(law.optimum(float(each)), amount) for each in flops])
            inside = ~np.isnan(np.asarray(fitted.get_ydata(), dtype=float))
            assert 0 < inside.sum() < len(values)
            low, high = law.parameters if amount == "parameters" else law.tokens
            assert values[inside].min() >= low
            assert values[inside].max() <= high


def test_published_models_are_where_they_were() -> None:
    marked = {point.name: point for point in PUBLISHED_MODELS}
    assert marked["Chinchilla"].flops == pytest.approx(5.88e23)
    assert marked["GPT-3"].flops == pytest.approx(3.14e23, rel=0.002)
    assert marked["Gopher"].flops == pytest.approx(5.04e23)
    names = {text.get_text() for text in law_chart([LAWS["chinchilla-1"]]).axes[0].texts}
    assert names == set(marked)


def test_names_are_far_enough_apart_to_be_read() -> None:
    figure = law_chart(list(LAWS.values()), [*PUBLISHED_MODELS, Marked("T5-11B", 11e9, 1e12, rate=3.0)])
    figure.draw_without_rendering()
    for panel in figure.axes:
        boxes = sorted((Text.get_window_extent(text) for text in panel.texts), key=lambda box: box.y0)
        assert all(above.y0 > below.y0 + 8 for below, above in itertools.pairwise(boxes))


def test_without_points_there_are_only_laws() -> None:
    assert [len(panel.texts) for panel in law_chart([LAWS["kaplan"]], []).axes] == [0, 0]
