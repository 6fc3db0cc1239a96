"""Where in a context a question is answered.

    p(span) = softmax(start logits)[first token] · softmax(end logits)[last token]     (Devlin et al. 2019, section 4.2)

Both softmaxes run over the tokens of the context and the first token, which stands for no answer (section 4.3).
"""

__all__ = ["Answer", "answer"]

from dataclasses import asdict, dataclass
from typing import Any

import torch

from trivium.architecture import Spans
from trivium.errors import UsageError
from trivium.model import Transformer
from trivium.tasks.reading import batches, read, require_head
from trivium.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Answer:
    """The most probable answer, its characters in the context (end excluded) and its probability.

    `no_answer` is the probability that the context holds none, for models trained to say so.
    """

    text: str
    start: int
    end: int
    score: float
    no_answer: float

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@torch.inference_mode()
def answer(model: Transformer, tokenizer: Tokenizer, question: str, context: str, max_tokens: int = 15) -> Answer:
    """The most probable answer of up to `max_tokens` tokens.

    Raises `UsageError` for a model without a head for it or in training mode, for an empty context, and where question
    and context together are over the model's limit.
    """
    require_head(model, Spans, "answers from", "BertForQuestionAnswering")
    if max_tokens < 1:
        raise UsageError(f"An answer has 1 token at least; max_tokens is {max_tokens}.")
    [reading] = read(model, tokenizer, [(question, context)])
    [batch] = batches(model, [reading])
    logits = model.task_logits(batch.input_ids, batch.documents, batch.segments)[0].float()
    inside = torch.tensor([part == 1 for part in reading.parts], device=logits.device)
    if not inside.any():
        raise UsageError("The context holds no token, so there is nothing to find an answer in: give some text.")
    candidates = inside.clone()
    candidates[0] = True
    starts, ends = logits.masked_fill(~candidates[:, None], float("-inf")).softmax(dim=0).unbind(dim=-1)
    no_answer = 0.0 if inside[0] else float(starts[0] * ends[0])
    spans = (starts * inside)[:, None] * (ends * inside)[None, :]
    spans = spans.triu().tril(max_tokens - 1)
    first, last = divmod(int(spans.argmax()), len(ends))
    start, end = reading.offsets[first][0], reading.offsets[last][1]
    start += len(context[start:end]) - len(
        context[start:end].lstrip()
    )  # some vocabularies keep the space with the word
    return Answer(context[start:end], start, end, float(spans[first, last]), no_answer)
