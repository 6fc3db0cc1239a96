r"""Stop strings: where a text ends, and what may not be shown yet because it could be the start of such an end.

    stop ["\n\n"], tokens  "Yes" ".\n" "\nNo"
    shown                    "Yes" "."   -> the held "\n" grows into the stop string: the text is "Yes."

The result never depends on how a text is cut into pieces: the stop string that is *complete* first ends the text.
"""

__all__ = ["StopStrings"]

from collections.abc import Sequence


class StopStrings:
    """Feed it a text piece by piece; it gives back what is safe to show, never any part of a stop string."""

    def __init__(self, stops: Sequence[str]) -> None:
        assert all(stops), "an empty stop string stops before the first character"
        self.stopped = False
        self._stops = tuple(stops)
        self._held = ""

    def feed(self, piece: str) -> str:
        """What may be shown after `piece`: everything before a complete stop string, else all that cannot begin one."""
        if self.stopped:
            return ""
        text = self._held + piece
        found = [(start + len(stop), start) for stop in self._stops if (start := text.find(stop)) >= 0]
        if found:
            self.stopped = True
            self._held = ""
            return text[: min(found)[1]]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        shown = text[: len(text) - held]
        self._held = text[len(shown) :]
        return shown

    def flush(self) -> str:
        """What was still held, when the text has ended otherwise: it has not become a stop string."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that is a beginning of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((length for length in range(longest, 0, -1) if text.endswith(stop[:length])), 0)
