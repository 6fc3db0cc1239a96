"""The page's small parts: numbers as people write them, and curves."""

import xml.etree.ElementTree as ElementTree

import pytest

from trivium.project.report import _quantity, loss_curves


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (6.14e9, "FLOP/s", "6.14 GFLOP/s"),
        (95.1e6, "B", "95.1 MB"),
        (12.34, "s", "12.3 s"),
        (185.0, "s", "3 min 5 s"),
        (1234567, "", "1,234,567"),
        (512, "B", "512 B"),
    ],
)
def test_quantities(value: float, unit: str, written: str) -> None:
    assert _quantity(value, unit) == written


def test_the_curves_are_one_drawing_with_a_panel_a_model() -> None:
    rows = [{"step": i, "tokens": 1000 * i, "loss": 5 - i / 20} for i in range(1, 60)]
    rows.insert(30, {"step": 30, "validation": {"loss": 4.2}})
    drawn = loss_curves({"bert": rows, "gpt2": rows, "t5": []})
    root = ElementTree.fromstring(drawn)
    assert root.tag.endswith("svg")
    axes = [element for element in root.iter() if (element.get("id") or "").startswith("axes_")]
    assert len(axes) == 3
