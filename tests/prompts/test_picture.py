"""The picture of accuracy by shots: a line a curve, with intervals, at even steps."""

import pytest

from trivium.metrics.metric import Metric
from trivium.prompts.picture import Curve, accuracy_chart


def test_a_curve_has_its_points_and_intervals() -> None:
    metrics = [Metric("accuracy", 0.5, 0.4, 0.6, 100), Metric("accuracy", 0.8)]
    chart = accuracy_chart([Curve("a", [0, 16], metrics, [(0.5, 0.5), (0.7, 0.9)])], "title", chance=0.5)
    axes = chart.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "16"]
    line = axes.containers[0].lines[0]  # type: ignore[attr-defined]
    assert list(line.get_xdata()) == pytest.approx([0, 1])
    assert list(line.get_ydata()) == pytest.approx([50, 80])
    [bars] = axes.containers[0].lines[2]  # type: ignore[attr-defined]
    ends = [sorted(segment[:, 1]) for segment in bars.get_segments()]
    assert ends == [pytest.approx([40, 60]), pytest.approx([80, 80])]
    assert chart.axes[0].get_title(loc="left") == "title"
