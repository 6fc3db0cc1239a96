"""A text that is over the limit, read in windows that overlap: what frames it, and a question before it, stay in each.

[CLS] question [SEP] context context context [SEP]
[CLS] question [SEP] context context [SEP]
[CLS] question [SEP]         context context [SEP]       the stretch that both read is the overlap
"""

__all__ = ["Window", "cut_windows"]

from dataclasses import dataclass

from trivium.errors import UsageError
from trivium.objectives.extraction import windows
from trivium.tasks.reading import Read


@dataclass(frozen=True)
class Window:
    """A part of a text as a model reads it: tokens `begin` to `end` (excluded) of the whole, behind `before` others."""

    read: Read
    before: int
    begin: int
    end: int

    def place(self, token: int) -> int:
        """Where a token of the whole stands here."""
        return self.before + token - self.begin

    def margin(self, token: int) -> int:
        """How many tokens of the text stand between a token of the whole and the nearer edge; below 0 outside."""
        return min(token - self.begin, self.end - 1 - token)


def cut_windows(reading: Read, limit: int | None, overlap: int, what: str = "The text") -> list[Window]:
    """The windows of a text (of the last one of a pair) that has more than `limit` tokens; one where it has not.

    They overlap by `overlap` tokens, or by half of what they hold of the text where that is less. Raises `UsageError`
    where the limit leaves no room for the text.
    """
    last = max((part for part in reading.parts if part is not None), default=0)
    own = [place for place, part in enumerate(reading.parts) if part == last]
    if limit is None or len(reading.ids) <= limit:
        begin, end = (own[0], own[-1] + 1) if own else (0, 0)
        return [Window(reading, begin, begin, end)]
    room = limit - (len(reading.ids) - len(own))
    if room < 1:
        raise UsageError(
            f"{what} stands beside {len(reading.ids) - len(own):,} tokens that every window repeats, and the model "
            f"reads {limit:,} at once: shorten the question."
        )
    first, behind = own[0], own[-1] + 1
    assert behind - first == len(own), "a text's tokens stand together"
    found = []
    for begin, end in windows(len(own), room, min(overlap, room // 2)):
        kept = (*range(first), *range(first + begin, first + end), *range(behind, len(reading.ids)))
        columns = (reading.ids, reading.segments, reading.offsets, reading.words, reading.parts)
        part = Read(*([column[place] for place in kept] for column in columns))
        found.append(Window(part, first, first + begin, first + end))
    return found
