"""Pictures show the figures that they are made of; test_evaluation.py and test_suite.py draw whole results."""

import numpy as np
import pytest

from trivium.errors import UsageError
from trivium.evaluate.picture import reliability_chart, score_chart
from trivium.metrics.metric import Metric


def test_every_model_has_a_row_with_its_interval() -> None:
    figure = score_chart(
        {
            "reviews": [("a", Metric("accuracy", 0.8, 0.7, 0.9, 50)), ("b", Metric("accuracy", 0.6))],
            "wiki": [("a", Metric("perplexity", 20.0))],
            "nobody": [],
        }
    )
    reviews, wiki = figure.axes
    drawn = [line.get_xdata() for line in reviews.lines]
    assert [np.asarray(each).tolist() for each in drawn] == [[0.7, 0.9], [0.8], [0.6]]
    assert [text.get_text() for text in reviews.texts] == ["0.8 (0.7 to 0.9)", "0.6"]
    assert wiki.get_title(loc="left") == "wiki: perplexity, 0 items"
    with pytest.raises(UsageError, match="nothing to draw"):
        score_chart({"nobody": []})


def test_bins_without_an_item_are_not_drawn() -> None:
    above, below = reliability_chart([0.95, 0.97, 0.3], [True, False, True], "films").axes
    heights = [bar.get_height() for bar in above.patches]  # type: ignore[attr-defined]
    assert heights == [1.0, 0.5]
    assert sum(bar.get_height() for bar in below.patches) == 3  # type: ignore[attr-defined]
