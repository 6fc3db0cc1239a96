"""The picture: every candidate at its place, and every name to be read."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from tests.compare.tiny import compared
from trivium.compare.chart import Point, quality_chart
from trivium.metrics.metric import Metric


def drawn(points: list[Point]) -> Figure:
    figure = quality_chart(points)
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    return figure


def point(name: str, value: float, seconds: float, memory: int = 10, best: bool = False) -> Point:
    score = Metric("accuracy", value, value - 0.02, value + 0.02, 100)
    return Point(name, score, seconds, 2 * seconds, memory, "encoder", best)


def test_points_stand_at_score_and_milliseconds_with_areas_of_memory() -> None:
    axes = drawn([point("a", 0.9, 0.01, 100, best=True), point("b", 0.8, 1.0, 25)]).axes[0]
    marks = [each for each in axes.collections if isinstance(each, PathCollection)]
    offsets = np.concatenate([np.asarray(mark.get_offsets()) for mark in marks])
    assert np.allclose(offsets, [(10, 0.9), (1000, 0.8)])
    assert marks[0].get_sizes()[0] == pytest.approx(4 * marks[1].get_sizes()[0])
    bold = {each.get_text(): each.get_fontweight() for each in axes.texts}
    assert bold == {"a": "bold", "b": "normal"}


def test_names_near_each_other_do_not_touch() -> None:
    figure = drawn([point(f"candidate {number}", 0.9 - number / 1000, 0.01 * 1.1**number) for number in range(6)])
    texts = figure.axes[0].texts
    boxes = [Text.get_window_extent(text) for text in texts]  # an annotation's own would hold its line, too
    assert len(boxes) == 6
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(figure.bbox.contains(box.x1, box.y0) for box in boxes)


def test_a_comparison_draws_all_that_was_measured() -> None:
    figure = compared(good=0.95, naive_bayes=0.8, most_common=0.5).plot()
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    assert {text.get_text() for text in figure.axes[0].texts} == {"good", "naive-bayes", "most-common"}
