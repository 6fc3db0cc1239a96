"""The page's small parts: numbers as people write them, and curves."""

import xml.etree.ElementTree as ElementTree

from trivium.project.report import loss_curves, memory_bars


def test_the_curves_are_one_drawing_with_a_panel_a_model() -> None:
    rows = [{"step": i, "tokens": 1000 * i, "loss": 5 - i / 20} for i in range(1, 60)]
    rows.insert(30, {"step": 30, "validation": {"loss": 4.2}})
    drawn = loss_curves({"bert": rows, "gpt2": rows, "t5": []})
    root = ElementTree.fromstring(drawn)
    assert root.tag.endswith("svg")
    axes = [element for element in root.iter() if (element.get("id") or "").startswith("axes_")]
    assert len(axes) == 3


def test_memory_is_two_stacked_bars_a_model() -> None:
    parts = {"weights": 4_000_000, "gradients": 0, "optimizer": 8_000_000, "rest": 20_000_000, "total": 32_000_000}
    model = {"quote": {"name": "gpt2 <b>", "memory": parts}, "result": {"memory": {**parts, "rest": 21_000_000}}}
    drawn = memory_bars([model, {"quote": {"name": "t5", "memory": None}, "result": {"memory": parts}}])
    root = ElementTree.fromstring(drawn)
    assert root.tag.endswith("svg")
    assert "gpt2 &lt;b&gt;, expected" in drawn
    assert "<b>" not in drawn
    bars = [e for e in root.iter() if (e.get("id") or "").startswith("patch_") and "clip-path" in next(iter(e)).attrib]
    assert len(bars) == 3 * 4, "of what was not expected there is no bar"
    assert ElementTree.fromstring(memory_bars([])).tag.endswith("svg")
