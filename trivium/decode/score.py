"""How probable given texts are, as continuations of others.

    log p(completion | prompt) = sum_i log p(token_i | prompt, token_1, ..., token_{i-1})

Letters: B pairs, T tokens, N tokens of all completions together.
"""

__all__ = ["Score", "score"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from trivium.decode.prompt import Ids, pad, require_evaluation
from trivium.errors import UsageError
from trivium.model import Transformer


@dataclass(frozen=True)
class Score:
    """The log-probability of a completion in nats, of how many tokens, and whether greedy decoding would say it."""

    logprob: float
    tokens: int
    greedy: bool

    @property
    def logprob_per_token(self) -> float:
        """The mean, so that a longer completion is not less probable for its length alone."""
        return self.logprob / self.tokens

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"logprob_per_token": self.logprob_per_token}


@torch.inference_mode()
def score(
    model: Transformer,
    pairs: Sequence[tuple[Ids, Ids]],
    start_id: int | None = None,
    rows: int = 16,
) -> list[Score]:
    """The scores of pairs (prompt, completion), in their order, computed `rows` at a time.

    The head runs at the completions' positions only. An encoder-decoder reads the prompt with its encoder and starts
    its own side with `start_id`. Raises `UsageError` for an encoder, an empty prompt or completion, and for a pair
    longer than the model's positions.
    """
    require_evaluation(model)
    _check(model, pairs, start_id)
    by_length = sorted(range(len(pairs)), key=lambda index: sum(map(len, pairs[index])))
    scores: dict[int, Score] = {}
    for first in range(0, len(pairs), rows):
        batch = by_length[first : first + rows]
        scores.update(zip(batch, _score([pairs[index] for index in batch], model, start_id), strict=True))
    return [scores[index] for index in range(len(pairs))]


def _score(pairs: Sequence[tuple[Ids, Ids]], model: Transformer, start_id: int | None) -> list[Score]:
    device = model.tokens.weight.device
    if model.architecture.kind == "encoder-decoder":
        assert start_id is not None
        inputs, documents = pad([prompt for prompt, _ in pairs], left=False, device=device)
        heard = [[start_id, *completion[:-1]] for _, completion in pairs]
        decoder_ids, decoder_documents = pad(heard, left=False, device=device)
        hidden = model.hidden(inputs, documents, decoder_ids, decoder_documents)
        starts = [0] * len(pairs)
    else:
        inputs, documents = pad(
            [[*prompt, *completion][:-1] for prompt, completion in pairs], left=False, device=device
        )
        hidden = model.hidden(inputs, documents)
        starts = [len(prompt) - 1 for prompt, _ in pairs]
    lengths = [len(completion) for _, completion in pairs]
    said = torch.cat(
        [hidden[row, start : start + n] for row, (start, n) in enumerate(zip(starts, lengths, strict=True))]
    )
    targets = torch.tensor(list(chain.from_iterable(completion for _, completion in pairs)), device=device)
    assert model.head is not None
    logits: Tensor = model.head(said).float()
    logprobs = logits.log_softmax(dim=-1).gather(-1, targets[:, None]).squeeze(-1)
    hits = logits.argmax(dim=-1) == targets
    return [
        Score(float(part.sum()), len(part), bool(hit.all()))
        for part, hit in zip(torch.split(logprobs, lengths), torch.split(hits, lengths), strict=True)
    ]


def _check(model: Transformer, pairs: Sequence[tuple[Ids, Ids]], start_id: int | None) -> None:
    architecture = model.architecture
    if architecture.decoder is None:
        raise UsageError("An encoder gives no probability to a text as a whole: use a decoder or an encoder-decoder.")
    pair = architecture.kind == "encoder-decoder"
    if pair and start_id is None:
        raise UsageError("An encoder-decoder needs the token that starts its decoder: give start_id.")
    for number, (prompt, completion) in enumerate(pairs):
        if not prompt or not completion:
            raise UsageError(f"Pair {number} has an empty {'completion' if prompt else 'prompt'}: both need a token.")
        read = max(len(prompt), len(completion)) if pair else len(prompt) + len(completion) - 1
        if architecture.context is not None and read > architecture.context:
            raise UsageError(
                f"Pair {number} takes {read:,} positions; this model has {architecture.context:,}. Shorten the prompt."
            )
