"""Windows of a real pair: each frames its stretch of the context, and no token is lost."""

import pytest

from tests.decode.tiny import tokenizer
from trivium.errors import UsageError
from trivium.tasks.reading import framed
from trivium.tasks.windows import cut_windows

QUESTION, CONTEXT = "Who walked?", "Every morning the old sailor walked down to the harbour, and the dog did not. " * 3
READING = framed(tokenizer("wordpiece"), (QUESTION, CONTEXT))
OTHERS = sum(part != 1 for part in READING.parts)


@pytest.mark.parametrize("limit", [OTHERS + 1, OTHERS + 7, 60, len(READING.ids) - 1])
def test_each_window_is_a_question_with_a_stretch_of_the_context(limit: int) -> None:
    covered = set()
    windows = cut_windows(READING, limit, overlap=5)
    assert len(windows) > 1
    for window in windows:
        assert len(window.read.ids) <= limit
        places = [place for place, part in enumerate(READING.parts) if part != 1 or window.begin <= place < window.end]
        assert window.read.ids == [READING.ids[place] for place in places]
        assert window.read.offsets == [READING.offsets[place] for place in places]
        assert window.read.segments == [READING.segments[place] for place in places]
        for token in range(window.begin, window.end):
            assert window.read.ids[window.place(token)] == READING.ids[token]
            assert window.margin(token) >= 0
        assert window.margin(window.end) < 0
        covered |= set(range(window.begin, window.end))
    assert covered == {place for place, part in enumerate(READING.parts) if part == 1}


@pytest.mark.parametrize("limit", [None, len(READING.ids), 10_000])
def test_what_fits_is_one_window(limit: int | None) -> None:
    [window] = cut_windows(READING, limit, overlap=5)
    assert window.read is READING
    assert READING.parts[window.begin : window.end] == [1] * (window.end - window.begin)
    assert window.place(window.begin) == window.begin


def test_a_text_alone_is_cut_within_its_frame() -> None:
    reading = framed(tokenizer("wordpiece"), CONTEXT)
    windows = cut_windows(reading, 10, overlap=100)
    assert {(window.read.ids[0], window.read.ids[-1]) for window in windows} == {(reading.ids[0], reading.ids[-1])}
    assert windows[0].end - windows[1].begin == 4, "an overlap of half of what a window holds"


def test_no_room_is_an_error() -> None:
    with pytest.raises(UsageError, match=f"stands beside {OTHERS} tokens .* reads {OTHERS} at once"):
        cut_windows(READING, OTHERS, overlap=5)
