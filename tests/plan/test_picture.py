"""The picture of memory: what it says, and the file it becomes."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from trivium.errors import StorageError, UsageError
from trivium.plan.picture import memory_chart, save_chart

ITEMS = {
    "hold": {"weights": 27_000_000_000},
    "infer": {"weights": 13_500_000_000, "cache": 5_000_000_000, "temporaries": 0},
    "train": {"weights": 27_000_000_000, "gradients": 27_000_000_000, "optimizer": 54_000_000_000},
}


def texts(figure: Figure) -> list[str]:
    [axes] = figure.axes
    return [text.get_text().strip() for text in axes.texts]


def test_bars_are_the_bytes_and_stand_end_to_end() -> None:
    [axes] = memory_chart(ITEMS, 80_000_000_000).axes
    bars = [(round(bar.get_x(), 6), round(bar.get_width(), 6)) for bar in axes.patches]  # type: ignore[attr-defined]
    assert bars == [(0, 27), (0, 13.5), (13.5, 5), (0, 27), (27, 27), (54, 54)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["hold", "infer", "train"]
    assert axes.get_xlabel() == "GB"


def test_totals_and_the_limit_are_written() -> None:
    figure = memory_chart(ITEMS, 80_000_000_000, "Llama 2 7B")
    said = texts(figure)
    assert {"27 GB", "18.5 GB", "108 GB", "there are 80 GB"} <= set(said)
    assert "54" in said
    [axes] = figure.axes
    assert axes.lines[0].get_xdata()[0] == 80  # type: ignore[index]
    assert axes.get_title(loc="left") == "Llama 2 7B"
    over = {text.get_text().strip(): text.get_color() for text in axes.texts}
    assert over["108 GB"] == over["there are 80 GB"] != over["27 GB"]


def test_each_part_is_in_the_legend_once() -> None:
    figure = memory_chart(ITEMS)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["weights", "cache", "gradients", "optimizer"]
    colours = {bar.get_facecolor() for bar in figure.axes[0].patches}
    assert len(colours) == len(names)


@pytest.mark.parametrize(("size", "unit"), [(3 * 10**12, "3 TB"), (2_500_000, "2.5 MB"), (1_500, "1.5 kB"), (9, "9 B")])
def test_units(size: int, unit: str) -> None:
    assert unit in texts(memory_chart({"hold": {"weights": size}}))


def test_no_text_leaves_the_picture() -> None:
    figure = memory_chart(ITEMS, 200_000_000_000, "A long title of a model on a device")
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("SVG", b"<?xml")])
def test_files(ending: str, begins: bytes, tmp_path: Path) -> None:
    first, second = tmp_path / f"memory.{ending}", tmp_path / f"again.{ending}"
    for path in (first, second):
        save_chart(memory_chart(ITEMS, 80_000_000_000), path)
    assert first.read_bytes().startswith(begins)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted([first, second])


def test_what_cannot_be_drawn_or_written(tmp_path: Path) -> None:
    nothings: list[dict[str, dict[str, int]]] = [{}, {"hold": {}}, {"hold": {"weights": 0}}]
    for nothing in nothings:
        with pytest.raises(UsageError, match="nothing to draw"):
            memory_chart(nothing)
    with pytest.raises(UsageError, match=r"memory\.gif is neither"):
        save_chart(memory_chart(ITEMS), tmp_path / "memory.gif")
    with pytest.raises(StorageError):
        save_chart(memory_chart(ITEMS), Path("/dev/null/memory.png"))
