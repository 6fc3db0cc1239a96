"""Where in a context a question is answered.

    p(span) = softmax(start logits)[first token] · softmax(end logits)[last token]     (Devlin et al. 2019, section 4.2)

Both softmaxes run over the tokens of the context and the first token, which stands for no answer (section 4.3). A
context over the model's limit is read in windows that overlap: the answer is the most probable of all windows, and
that there is none is as probable as in the window that doubts it most (so did `transformers`' pipeline).
"""

__all__ = ["Answer", "answers"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from trivium.architecture import Spans
from trivium.errors import UsageError
from trivium.model import Transformer
from trivium.tasks.reading import Read, batches, framed, require_head
from trivium.tasks.windows import cut_windows
from trivium.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Answer:
    """The most probable answer, its characters in the context (end excluded) and its probability.

    `no_answer` is the probability that the context holds none, for models trained to say so. Where that was asked for
    and is the more probable, the text is empty and `score` is that probability.
    """

    text: str
    start: int
    end: int
    score: float
    no_answer: float

    def __str__(self) -> str:
        return self.text or "(no answer)"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@torch.inference_mode()
def answers(
    model: Transformer,
    tokenizer: Tokenizer,
    pairs: Sequence[tuple[str, str]],
    max_tokens: int = 15,
    overlap: int = 128,
    or_none: bool = False,
    limit: int | None = None,
) -> list[Answer]:
    """The most probable answer of up to `max_tokens` tokens to each (question, context), in their order.

    Windows over a long context share `overlap` tokens; `limit` makes them shorter than the model reads. With `or_none`
    the answer is empty where none is more probable. Raises `UsageError` for a model without a head for it or in
    training mode, for a context without a token, and for a question that leaves no room for its context.
    """
    require_head(model, Spans, "answers from", "BertForQuestionAnswering")
    for name, number, least in (("max_tokens", max_tokens, 1), ("overlap", overlap, 0)):
        if number < least:
            raise UsageError(f"An answer has 1 token at least, and windows an overlap of 0; {name} is {number}.")
    limits = [bound for bound in (model.architecture.context, limit) if bound is not None]
    windows: list[Read] = []
    pair_of: list[int] = []
    for number, pair in enumerate(pairs):
        reading = framed(tokenizer, pair)
        if 1 not in reading.parts:
            raise UsageError(
                f"The context holds no token, so there is nothing to find an answer in (question {number}): give some "
                "text."
            )
        cut = cut_windows(reading, min(limits, default=None), overlap, f"The context of question {number}")
        windows += [window.read for window in cut]
        pair_of += [number] * len(cut)
    found: dict[int, Answer] = {}
    for batch in batches(model, windows):
        logits = model.task_logits(batch.input_ids, batch.documents, batch.segments).float()
        for row, place in zip(logits, batch.places, strict=True):
            number = pair_of[place]
            one = _best(row[: len(windows[place].ids)], windows[place], pairs[number][1], max_tokens)
            found[number] = one if number not in found else _of_two(found[number], one)
    done = [found[number] for number in range(len(pairs))]
    return [_unless_none(one) for one in done] if or_none else done


def _best(logits: Float[Tensor, "T 2"], window: Read, context: str, max_tokens: int) -> Answer:
    inside = torch.tensor([part == 1 for part in window.parts], device=logits.device)
    candidates = inside.clone()
    candidates[0] = True
    starts, ends = logits.masked_fill(~candidates[:, None], float("-inf")).softmax(dim=0).unbind(dim=-1)
    no_answer = 0.0 if inside[0] else float(starts[0] * ends[0])
    spans = (starts * inside)[:, None] * (ends * inside)[None, :]
    spans = spans.triu().tril(max_tokens - 1)
    first, last = divmod(int(spans.argmax()), len(ends))
    start, end = window.offsets[first][0], window.offsets[last][1]
    start += len(context[start:end]) - len(
        context[start:end].lstrip()
    )  # some vocabularies keep the space with the word
    return Answer(context[start:end], start, end, float(spans[first, last]), no_answer)


def _of_two(one: Answer, other: Answer) -> Answer:
    """The better of two windows' answers; equal ones are the earlier."""
    best = max(one, other, key=lambda each: (each.score, -each.start))
    least = min(one.no_answer, other.no_answer)
    return Answer(best.text, best.start, best.end, best.score, least)


def _unless_none(one: Answer) -> Answer:
    return Answer("", 0, 0, one.no_answer, one.no_answer) if one.no_answer > one.score else one
