"""From tokens to text while they arrive: no half character, no half stop string.

Text can only be taken from several tokens together. A token may hold a part of a UTF-8 character, and a word's leading
space shows only after another word. So each piece is read with a window of the tokens before it:

    tokens   ... | a window shown before | new
    piece        = decode(window + new) with decode(window) taken off its front
"""

__all__ = ["Decodes", "TextStream"]

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from trivium.decode.stop import StopStrings

#: How a decoder writes bytes that are not (yet) a character.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
#: How many tokens of the prompt the first piece is read with; more than one, as the last may be a special token.
_PROMPT_WINDOW = 6


@runtime_checkable
class Decodes(Protocol):
    """The part of a tokenizer that this needs."""

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        """The text of the tokens."""


class TextStream:
    """The text of one completion, piece by piece. The pieces joined are the completion's text, by definition."""

    def __init__(self, tokenizer: Decodes, prompt: Sequence[int] = (), stops: Sequence[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._stops = StopStrings(stops)
        self._window = list(prompt[-_PROMPT_WINDOW:])
        self._new: list[int] = []

    @property
    def stopped(self) -> bool:
        """Whether a stop string has appeared."""
        return self._stops.stopped

    def feed(self, token: int) -> str:
        """The text that `token` completes and that is safe to show; often empty."""
        self._new.append(token)
        piece = self._piece()
        if not piece or piece.endswith(_REPLACEMENT):
            return ""
        self._window, self._new = self._new, []
        return self._stops.feed(piece)

    def finish(self) -> str:
        """The rest, when no token will follow. Bytes that never became a character are dropped."""
        piece = self._piece().rstrip(_REPLACEMENT) if self._new else ""
        self._new = []
        shown = self._stops.feed(piece)
        return shown if self.stopped else shown + self._stops.flush()

    def _piece(self) -> str:
        before = self._tokenizer.decode(self._window)
        return self._tokenizer.decode(self._window + self._new)[len(before) :]
