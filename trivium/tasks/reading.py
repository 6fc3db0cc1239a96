"""Texts as a model with a task head reads them: framed by the tokenizer's own template, in batches, within the limit.

Letters: B rows, T tokens of the longest text.
"""

__all__ = ["Batch", "Read", "Text", "batches", "framed", "read", "require_head"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import Int
from torch import Tensor

from trivium.architecture import Architecture
from trivium.decode.prompt import pad, require_evaluation
from trivium.errors import UsageError
from trivium.model import Transformer
from trivium.text.tokenizer import Tokenizer

#: A text, or a tuple of two that are read together.
Text = str | tuple[str, str]


@dataclass(frozen=True)
class Read:
    """One text's tokens: for each its segment, its characters (begin, end), its word, and its text of a pair.

    Special tokens are of no word and of no text.
    """

    ids: list[int]
    segments: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]
    parts: list[int | None]


@dataclass(frozen=True)
class Batch:
    """Some of the texts, by their places in the list, as tensors."""

    places: list[int]
    input_ids: Int[Tensor, "B T"]
    documents: Int[Tensor, "B T"] | None
    segments: Int[Tensor, "B T"] | None


def read(
    model: Transformer, tokenizer: Tokenizer, texts: Sequence[Text], truncate: bool = False, limit: int | None = None
) -> list[Read]:
    """The texts' tokens. The limit is the model's positions, or a lower one that is given.

    Raises `UsageError` for a text over the limit, unless it may be cut: then the end of the (last) text is left out,
    and the special tokens stay. Raises it for a text without any token, too.
    """
    limits = [bound for bound in (model.architecture.context, limit) if bound is not None]
    found = []
    for number, text in enumerate(texts):
        one = framed(tokenizer, text)
        if limits and len(one.ids) > min(limits):
            if not truncate:
                raise UsageError(
                    f"Text {number} has {len(one.ids):,} tokens; this model reads {min(limits):,}. Shorten it, "
                    "or say truncate=True to leave out its end."
                )
            one = _cut(one, len(one.ids) - min(limits), number)
        if not one.ids:
            raise UsageError(f"Text {number} is empty, and the tokenizer puts nothing around it: give some text.")
        found.append(one)
    return found


def framed(tokenizer: Tokenizer, text: Text) -> Read:
    """A text within the special tokens of the tokenizer's own template, however long."""
    encoding = tokenizer.framed(*((text,) if isinstance(text, str) else text))
    return Read(encoding.ids, encoding.type_ids, encoding.offsets, encoding.word_ids, encoding.sequence_ids)


def batches(model: Transformer, texts: Sequence[Read], rows: int = 16) -> Iterator[Batch]:
    """The texts by length, `rows` at a time, padded on the right."""
    device = model.tokens.weight.device
    by_length = sorted(range(len(texts)), key=lambda place: len(texts[place].ids))
    for first in range(0, len(texts), rows):
        places = by_length[first : first + rows]
        ids, documents = pad([texts[place].ids for place in places], left=False, device=device)
        segments = None
        if model.architecture.stacks[0].embedding.segments > 1:
            segments, _ = pad([texts[place].segments for place in places], left=False, device=device)
        yield Batch(places, ids, documents, segments)


def require_head(model: Transformer, head: type, does: str, like: str) -> None:
    """Raise `UsageError` where the model's task head is of another type than what is asked of it."""
    require_evaluation(model)
    if not isinstance(model.architecture.task, head):
        raise UsageError(
            f"This model {does} no texts: it has {_has(model.architecture)}. Load one whose config names a class "
            f"such as {like}, or fine-tune one."
        )


def _has(architecture: Architecture) -> str:
    if architecture.task is not None:
        return f"a head of {type(architecture.task).__name__}"
    return "no head" if architecture.head is None else "a language model's head"


def _cut(text: Read, excess: int, number: int) -> Read:
    last = max((part for part in text.parts if part is not None), default=0)
    own = [place for place, part in enumerate(text.parts) if part == last]
    if excess > len(own):
        raise UsageError(f"The first text of pair {number} is over the limit by itself: shorten it.")
    left_out = set(own[len(own) - excess :])
    kept = [place for place in range(len(text.ids)) if place not in left_out]
    columns = (text.ids, text.segments, text.offsets, text.words, text.parts)
    return Read(*([column[place] for place in kept] for column in columns))  # type: ignore[arg-type]
