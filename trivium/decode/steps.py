"""The token loop: read the prompts once, then choose and read one token a row, a step at a time.

    prompts ──► Reading ──logits──► rules ──► argmax or draw ──► ids ──► yielded
                   ▲                                              │
                   └──────────── rows that go on ◄────────────────┘

Decoders and encoder-decoders differ in how a reading begins, and in nothing after it.

Letters: B rows of the call, R rows that still go on, T tokens so far, V vocabulary.
"""

__all__ = ["Reading", "Step", "check_prompts", "row_limits", "steps"]

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from trivium.architecture import Architecture
from trivium.decode.draw import draw, row_generators
from trivium.decode.prompt import Ids, pad
from trivium.decode.rules import ABSENT, LogitsRule, apply_rules
from trivium.decode.sampling import Sampling
from trivium.errors import ModelError, UsageError
from trivium.model import Transformer
from trivium.nn.cache import Cache


@dataclass(frozen=True)
class Step:
    """One token for each of the call's rows; `ABSENT` in rows that had ended. Log-probabilities are the model's own."""

    ids: Int[Tensor, "B"]
    logprobs: Float[Tensor, "B"]


class Reading:
    """A model with what it has read so far. `logits` are of the token that would come next in each row.

    A decoder reads the prompts padded on the left, so that the next token stands in one column. An encoder-decoder
    reads them padded on the right with its encoder, once, and begins its own side with `start_id`.
    """

    @torch.inference_mode()
    def __init__(self, model: Transformer, prompts: Sequence[Ids], room: int, start_id: int | None = None) -> None:
        weights = model.tokens.weight
        self._model = model
        self._memory: Tensor | None = None
        self._memory_documents: Tensor | None = None
        if model.architecture.kind == "encoder-decoder":
            if start_id is None:
                raise UsageError("An encoder-decoder needs the token that starts its decoder: give start_id.")
            inputs, self._memory_documents = pad(prompts, left=False, device=weights.device)
            self._memory = model.encode(inputs, self._memory_documents)
            ids, documents = pad([[start_id]] * len(prompts), left=True, device=weights.device)
        else:
            ids, documents = pad(prompts, left=True, device=weights.device)
        self.history = ids if documents is None else torch.where(documents == 0, ABSENT, ids)
        stack = model.architecture.decoder
        assert stack is not None
        self._cache = Cache.empty(stack, len(ids), ids.shape[1] + room, weights.dtype, weights.device)
        self.logits = self._read(ids, documents)

    @torch.inference_mode()
    def read(self, ids: Int[Tensor, "R"]) -> None:
        """Read one more token in every row."""
        self.history = torch.cat((self.history, ids[:, None]), dim=1)
        self.logits = self._read(ids[:, None], None)

    @torch.inference_mode()
    def keep(self, rows: Int[Tensor, "R"]) -> None:
        """Go on with these rows only."""
        self._cache.reorder(rows)
        self.history, self.logits = self.history[rows], self.logits[rows]
        if self._memory is not None:
            self._memory = self._memory[rows]
        if self._memory_documents is not None:
            self._memory_documents = self._memory_documents[rows]

    def _read(self, ids: Tensor, documents: Tensor | None) -> Float[Tensor, "R V"]:
        hidden = self._model.decode(ids, documents, self._memory, self._memory_documents, self._cache)
        assert self._model.head is not None
        logits: Tensor = self._model.head(hidden[:, -1])
        return logits.float()


def steps(
    model: Transformer,
    prompts: Sequence[Ids],
    sampling: Sampling,
    limits: Sequence[int],
    finished: list[bool],
    start_id: int | None = None,
    rules: Sequence[LogitsRule] = (),
) -> Iterator[Step]:
    """Yield a token a row until every row has finished. `sampling` must be resolved; `rules` come before its own.

    A row has finished when it has its limit of tokens, or when the caller sets it in `finished`, its list, between two
    steps; it then leaves the batch. What a row says does not depend on its neighbours: its padding is seen by no
    attention and no rule, and it draws from its own generator.
    """
    assert sampling.seed is not None, "resolve the options first"
    reading = Reading(model, prompts, max(limits), start_id)
    rules = (*rules, *sampling.rules(reading.history.shape[1]))
    generators = row_generators(sampling.seed, len(prompts))
    rows = list(range(len(prompts)))
    for step in range(1, max(limits) + 1):
        ruled = apply_rules(rules, reading.logits, reading.history)
        ids = ruled.argmax(dim=-1) if sampling.greedy else draw(ruled, [generators[row] for row in rows])
        _check(ids, ruled, reading.logits)
        logprobs = reading.logits.log_softmax(dim=-1).gather(-1, ids[:, None]).squeeze(-1)
        yield Step(_spread(ids, rows, len(prompts), ABSENT), _spread(logprobs, rows, len(prompts), 0))
        going = [place for place, row in enumerate(rows) if step < limits[row] and not finished[row]]
        if not going:
            return
        if len(going) < len(rows):
            places = torch.tensor(going, device=ids.device)
            reading.keep(places)
            ids, rows = ids[places], [rows[place] for place in going]
        reading.read(ids)


def check_prompts(architecture: Architecture, prompts: Sequence[Ids]) -> None:
    """Raise `UsageError` for what cannot be read.

    That is: no token at all, one outside the vocabulary, more tokens than positions, or an encoder, which says nothing.
    """
    if architecture.decoder is None:
        raise UsageError(
            "An encoder does not continue a text. Fill its masks (`fill_mask`), or use a decoder or an encoder-decoder."
        )
    alone = architecture.kind == "decoder"
    longest = math.inf if architecture.context is None else architecture.context - alone
    for number, prompt in enumerate(prompts):
        if not prompt:
            raise UsageError(f"Prompt {number} has no tokens, so there is nothing to go on from: give at least one.")
        if not 0 <= min(prompt) <= max(prompt) < architecture.vocab:
            raise UsageError(
                f"Prompt {number} has tokens from {min(prompt)} to {max(prompt)}, but this model's vocabulary is 0 to "
                f"{architecture.vocab - 1}. Encode the text with the tokenizer of this model."
            )
        if len(prompt) > longest:
            raise UsageError(
                f"Prompt {number} has {len(prompt):,} tokens, but this model can read {longest:,}"
                f"{' and leave room for one more' * alone}. Shorten it, or use a model with more positions."
            )


def row_limits(architecture: Architecture, prompts: Sequence[Ids], max_tokens: int) -> list[int]:
    """How many tokens each row may get: `max_tokens`, or what learned positions leave beside what was read before."""
    assert architecture.decoder is not None
    positions = architecture.decoder.context
    if positions is None:
        return [max_tokens] * len(prompts)
    alone = architecture.kind == "decoder"
    return [min(max_tokens, positions - (len(prompt) if alone else 1)) for prompt in prompts]


def _check(ids: Tensor, ruled: Tensor, logits: Tensor) -> None:
    if bool(ruled.gather(-1, ids[:, None]).isfinite().all()):
        return
    if not bool(logits.amax(dim=-1).isfinite().all()):
        raise ModelError(
            "The model's logits are not finite numbers, so no token can be chosen. Its weights are damaged or overflow "
            "in this precision: load them in float32, or use an earlier checkpoint."
        )
    raise UsageError(
        "The decoding rules forbid every token of the vocabulary. Raise no_repeat_ngram, or set it to 0, which allows "
        "repetition."
    )


def _spread(values: Tensor, rows: list[int], count: int, absent: int) -> Tensor:
    """The values of the rows that go on, in their places among all."""
    if len(rows) == count:
        return values
    spread = values.new_full((count,), absent)
    spread[rows] = values
    return spread
