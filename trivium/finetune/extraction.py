"""Where in a context a question is answered, or that it is not."""

__all__ = ["OVERLAP", "prepare_extraction"]

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from trivium.data.examples import Examples, Question
from trivium.errors import UsageError
from trivium.finetune.heads import with_head
from trivium.finetune.prepared import Prepared
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.objectives.extraction import span_row, token_span
from trivium.objectives.row import Row
from trivium.tasks.reading import Read, framed
from trivium.tasks.windows import Window, cut_windows
from trivium.train.word_loss import span_loss
from trivium.weights.fresh import FreshHead

#: Tokens that neighbouring windows over a long context share, as in the code of BERT's paper.
OVERLAP: Final = 128
_CUT, _WITHOUT = "windows that cut the answer off", "windows without the answer"


def prepare_extraction(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings
) -> Prepared:
    """Questions with their contexts under the head that finds an answer's first and last token.

    A context that is too long is read in windows that overlap, a row each: those that hold the whole (first) answer are
    asked for it and the others for no answer, as in the code of BERT's paper; `noticed` counts these. Left out and
    counted are questions whose answer no window holds whole, or has no token, and those that leave their context no
    room. `too_long` may also leave such contexts out, or refuse them by `UsageError`. Raises `DataError` for other
    forms than questions, `UsageError` for a family without such a head.
    """
    del labels  # an answer has none
    examples.require("extraction", what="the part of a context that answers")
    architecture = with_head(lm.architecture, FreshHead("question-answering"))
    limits = [limit for limit in (settings.max_tokens, lm.architecture.context) if limit is not None]
    limit = min(limits, default=None)
    segments = architecture.stacks[0].embedding.segments > 1
    rows: list[Row] = []
    left_out: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for place, question in enumerate(examples, 1):
        assert isinstance(question, Question)
        reading = framed(lm.tokenizer, (question.question, question.context))
        if limit is not None and len(reading.ids) > limit and settings.too_long != "cut":
            if settings.too_long == "refuse":
                raise UsageError(
                    f"Question {place:,} of {examples.where} has {len(reading.ids):,} tokens with its context, and "
                    f"{limit:,} are read. Set too_long to 'cut' (into windows) or 'leave out', or raise max_tokens."
                )
            left_out[f"more than {limit:,} tokens"] += 1
            continue
        made = _rows(reading, question, limit, segments, noticed)
        if isinstance(made, str):
            left_out[made] += 1
        else:
            rows += made
    return Prepared(
        architecture, tuple(rows), span_loss, lm.tokenizer.pad_id or 0, dict(left_out), noticed=dict(noticed)
    )


def _rows(
    reading: Read, question: Question, limit: int | None, segments: bool, noticed: Counter[str]
) -> list[Row] | str:
    """The rows of a question's windows, or why there are none."""
    if 1 not in reading.parts:
        return "no token in the context"
    if limit is not None and sum(part != 1 for part in reading.parts) >= limit:
        return "a question that leaves no room for its context"
    windows = cut_windows(reading, limit, OVERLAP)
    if not question.answers:
        return [_row(window, None, segments) for window in windows]
    start = question.starts[0]
    offsets = [pair if part == 1 else (0, 0) for pair, part in zip(reading.offsets, reading.parts, strict=True)]
    span = token_span(offsets, start, start + len(question.answers[0]))
    if span is None:
        return "an answer without a token"
    first, last = span
    whole = [window.begin <= first and last < window.end for window in windows]
    if not any(whole):
        return "an answer that no window holds whole"
    parted = sum(window.begin <= last and first < window.end for window in windows) - sum(whole)
    noticed.update({_CUT: parted} if parted else {})
    noticed.update({_WITHOUT: len(windows) - sum(whole) - parted} if len(windows) > sum(whole) + parted else {})
    return [_row(window, span if held else None, segments) for window, held in zip(windows, whole, strict=True)]


def _row(window: Window, span: tuple[int, int] | None, segments: bool) -> Row:
    """A window's row; `span` is the answer's tokens in the whole."""
    here = None if span is None else (window.place(span[0]), window.place(span[1]))
    ids = np.array(window.read.ids, dtype=np.int64)
    return span_row(ids, np.array(window.read.segments, dtype=np.int64) if segments else None, here)
