"""What a model will see of some documents: rows as text with the loss mask, and how the documents fit the rows.

Letters: n tokens of a stretch of text.
"""

__all__ = ["Preview", "RowPreview", "Stretch", "preview"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from trivium.data.documents import Documents
from trivium.data.epochs import Epochs
from trivium.errors import DataError
from trivium.objectives.batch import IGNORE, PADDING
from trivium.objectives.row import Objective, Row
from trivium.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Stretch:
    """Text of neighbouring tokens of one document of a row. `asked`: the loss is taken there."""

    text: str
    document: int
    asked: bool


@dataclass(frozen=True)
class RowPreview:
    """A row as text. Of an encoder the targets are the asked tokens alone."""

    inputs: tuple[Stretch, ...]
    targets: tuple[Stretch, ...]
    input_tokens: int
    target_tokens: int


@dataclass(frozen=True)
class Preview:
    """Documents under one objective.

    `histogram` holds (from, to, documents) by token count, both ends included. `cut` documents are in more than one of
    the `pieces`; no token is dropped. `fill` is the used part of the inputs (and of the targets) of a row.
    """

    objective: str
    capacity: tuple[int, ...]
    documents: int
    tokens: int
    shortest: int
    median: float
    longest: int
    histogram: tuple[tuple[int, int, int], ...]
    windows: int
    pieces: int
    cut: int
    fill: tuple[float, ...]
    rows: tuple[RowPreview, ...]

    def to_dict(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def preview(
    name: str, objective: Objective, documents: Documents, tokenizer: Tokenizer, rows: int = 2, seed: int = 0
) -> Preview:
    """The first rows that a run with this seed reads, and the counts of its first epoch. No text: `DataError`."""
    if documents.tokens == 0:
        raise DataError("There is nothing to preview: no document holds a token. Look at `trivium data describe`.")
    epochs = Epochs(documents, objective, seed)
    packing = epochs.packing()
    lengths = documents.lengths[documents.lengths > 0]
    windows = [epochs.window(index) for index in range(min(rows, packing.windows))]
    made = [objective.row(window.pieces, np.random.default_rng(window.key)) for window in windows]
    return Preview(
        objective=name,
        capacity=tuple(objective.capacity),
        documents=len(lengths),
        tokens=documents.tokens,
        shortest=int(lengths.min()),
        median=float(np.median(lengths)),
        longest=int(lengths.max()),
        histogram=_histogram(lengths),
        windows=packing.windows,
        pieces=len(packing.documents),
        cut=packing.cut,
        fill=packing.fill,
        rows=tuple(_row_preview(row, tokenizer) for row in made),
    )


def _row_preview(row: Row, tokenizer: Tokenizer) -> RowPreview:
    asked = row.targets != IGNORE
    if row.decoder_documents is None:
        inputs = _stretches(row.input_ids, row.documents, asked, tokenizer)
        targets = _stretches(row.targets, np.where(asked, row.documents, PADDING), asked, tokenizer)
    else:
        inputs = _stretches(row.input_ids, row.documents, np.zeros(len(row.documents), dtype=bool), tokenizer)
        targets = _stretches(row.targets, row.decoder_documents, asked, tokenizer)
    return RowPreview(inputs, targets, int((row.documents != PADDING).sum()), int(asked.sum()))


def _stretches(
    ids: Int[np.ndarray, "n"], documents: Int[np.ndarray, "n"], asked: Bool[np.ndarray, "n"], tokenizer: Tokenizer
) -> tuple[Stretch, ...]:
    """Neighbours of the same kind together, padding left out."""
    kinds = list(zip(documents.tolist(), asked.tolist(), strict=True))
    found = []
    for (document, is_asked), places in groupby(range(len(kinds)), key=kinds.__getitem__):
        if document != PADDING:
            found.append(Stretch(_text([int(ids[place]) for place in places], tokenizer), document, is_asked))
    return tuple(found)


def _text(ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """The text of ids in the middle of a text: a space before a word is kept, which decoders drop at the start."""
    text = tokenizer.decode(ids, skip_special=False)
    starts_word = bool(tokenizer.word_starts[ids[0]]) or ids[0] in tokenizer.special_ids
    return f" {text}" if starts_word and tokenizer.kind != "bpe" else text


def _histogram(lengths: Int[np.ndarray, "documents"]) -> tuple[tuple[int, int, int], ...]:
    """Documents by length, in classes that double: 1, 2 to 3, 4 to 7, ..."""
    classes = np.bincount(np.frexp(lengths)[1])
    first = int(np.flatnonzero(classes)[0])
    return tuple((2 ** (c - 1), 2**c - 1, int(classes[c])) for c in range(first, len(classes)))
