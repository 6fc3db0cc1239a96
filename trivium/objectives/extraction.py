"""The part of a context that answers a question: its first and its last token (Devlin et al. 2019, section 4.2).

    tokens     [CLS] who was it ? [SEP] Ada Love ##lace was here [SEP]
    place        0    1   2   3 4   5    6    7     8    9   10   11
    answer       (6, 8)                 its first and its last token
    no answer    (0, 0)                 both at the token that stands first (section 4.3)

A context that does not fit is read in windows that overlap, each with the whole question. The answer is asked of the
windows that hold all of it; the others are asked for no answer.

Letters: T tokens of a row.
"""

__all__ = ["span_row", "token_span", "windows"]

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from trivium.objectives.batch import IGNORE
from trivium.objectives.row import Row


def span_row(ids: Int[np.ndarray, "T"], segments: Int[np.ndarray, "T"] | None, span: tuple[int, int] | None) -> Row:
    """The row of one window, unpadded. `span` is (first, last) token of the answer; None where there is none."""
    first, last = span or (0, 0)
    assert 0 <= first <= last < len(ids), "the answer stands in the row"
    return Row(ids, np.full_like(ids, IGNORE), np.ones_like(ids), segments=segments, label=(first, last))


def token_span(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """The first and the last of tokens that bear characters `start` to `end` (excluded); None where none does.

    `offsets` are the characters of each token, ascending. An answer that begins or ends within a token takes it whole.
    """
    bearing = [place for place, (begin, stop) in enumerate(offsets) if begin < end and stop > start and stop > begin]
    return (bearing[0], bearing[-1]) if bearing else None


def windows(tokens: int, room: int, overlap: int) -> list[tuple[int, int]]:
    """(begin, end) of windows of `room` tokens over so many, each beginning `room - overlap` behind the one before.

    The last ends with the tokens, and none lies within another; one where all fit.
    """
    assert 0 <= overlap < room, "a window goes on from the one before"
    found = [(0, min(tokens, room))]
    while found[-1][1] < tokens:
        begin = found[-1][0] + room - overlap
        found.append((begin, min(tokens, begin + room)))
    return found
