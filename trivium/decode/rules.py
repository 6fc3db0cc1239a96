"""Rules on logits: what is done to the scores of the next token before one is chosen.

A rule is a value and a function, (logits, history) -> logits. Rules compose by being applied one after the other, in
Hugging Face's order: penalties, temperature, top-k, top-p, min-p (`Sampling.rules` builds the list). A rule never
changes what it is given, and forbids a token by the logit -inf.

Letters: B rows, V vocabulary, T tokens so far.
"""

__all__ = [
    "ABSENT",
    "GapsInOrder",
    "LogitsRule",
    "MinLength",
    "MinP",
    "NoRepeatNgram",
    "RepetitionPenalty",
    "Temperature",
    "TopK",
    "TopP",
    "apply_rules",
]

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

#: What stands in a history where a row has no token (the padding left of a shorter prompt): no rule counts it, so
#: that a row's rules see the same tokens in a batch as alone.
ABSENT = -1

_FORBIDDEN = float("-inf")


@runtime_checkable
class LogitsRule(Protocol):
    """(logits, history) -> logits: `history` holds the tokens so far, prompt included, `ABSENT` where there is none."""

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The logits after the rule, in the same dtype."""


def apply_rules(
    rules: Iterable[LogitsRule], logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]
) -> Float[Tensor, "B V"]:
    """The logits after every rule, in order."""
    for rule in rules:
        logits = rule(logits, history)
    return logits


@dataclass(frozen=True)
class Temperature:
    """l / t. Below 1 sharpens, above 1 flattens.

    At 0 it is the limit: all mass on the largest logit, on the first of them where several are equal (as greedy
    decoding takes it), so that drawing at temperature 0 *is* greedy decoding.
    """

    temperature: float

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The divided logits."""
        if self.temperature == 0:
            best = logits.argmax(dim=-1, keepdim=True)
            return torch.full_like(logits, _FORBIDDEN).scatter(-1, best, logits.gather(-1, best))
        return logits / self.temperature


@dataclass(frozen=True)
class TopK:
    """Keep the k largest logits (Fan et al. 2018, section 3.4, with k = 10). Every tie at the k-th value is kept.

    More than the vocabulary holds keeps all of it, and so does 0.
    """

    k: int

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The logits with all below the k-th largest forbidden."""
        if self.k == 0 or self.k >= logits.shape[-1]:
            return logits
        kth_largest = torch.topk(logits, self.k).values[..., -1:]
        return logits.masked_fill(logits < kth_largest, _FORBIDDEN)


@dataclass(frozen=True)
class TopP:
    """The nucleus: the smallest set of most probable tokens with a mass of at least p (Holtzman et al. 2020, eq. 2).

    The token that crosses p is kept, and the most probable one always is: p = 0 keeps it alone. p = 1 keeps all.
    """

    p: float

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The logits with all outside the nucleus forbidden."""
        if self.p == 1:
            return logits
        ascending, order = torch.sort(logits)
        mass_up_to_here = ascending.softmax(dim=-1).cumsum(dim=-1)
        outside = mass_up_to_here <= 1 - self.p
        outside[..., -1] = False
        return logits.masked_fill(outside.scatter(-1, order, outside), _FORBIDDEN)


@dataclass(frozen=True)
class MinP:
    """Keep the tokens with a probability of at least p times the largest one's (Nguyen et al. 2024, section 3)."""

    p: float

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The logits with all less probable tokens forbidden."""
        probabilities = logits.softmax(dim=-1)
        largest = probabilities.amax(dim=-1, keepdim=True)
        return logits.masked_fill(probabilities < self.p * largest, _FORBIDDEN)


@dataclass(frozen=True)
class RepetitionPenalty:
    """Every token that already stands in the history, once: l / penalty if l > 0, else l · penalty.

    Keskar et al. 2019 (CTRL), section 4.1, with the sign handled as everybody does since. Above 1 discourages
    repetition (the paper takes 1.2), below 1 encourages it.
    """

    penalty: float

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The logits with those of seen tokens pushed down."""
        penalised = torch.where(logits < 0, logits * self.penalty, logits / self.penalty)
        return torch.where(_marked(history, logits), penalised, logits)


@dataclass(frozen=True)
class NoRepeatNgram:
    """Forbid the tokens that would complete n tokens already said in a row (Paulus et al. 2018, section 2.5)."""

    n: int

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The logits with the completing tokens forbidden."""
        if history.shape[-1] < self.n:
            return logits
        started = history[:, history.shape[-1] - self.n + 1 :]  # the last n - 1 tokens
        runs = history.unfold(-1, self.n, 1)  # (B, T - n + 1, n)
        same_start = (runs[..., :-1] == started[:, None]).all(dim=-1) & (runs != ABSENT).all(dim=-1)
        completing = torch.where(same_start, runs[..., -1], ABSENT)
        return logits.masked_fill(_marked(completing, logits), _FORBIDDEN)


@dataclass(frozen=True)
class MinLength:
    """Forbid the tokens that end a text while the history is shorter than `length` tokens, padding counted."""

    length: int
    end_ids: tuple[int, ...]

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The logits with ending forbidden, if it is too early."""
        if history.shape[-1] >= self.length:
            return logits
        ends = torch.tensor(self.end_ids, dtype=torch.long, device=logits.device)
        return logits.index_fill(-1, ends, _FORBIDDEN)


def _marked(ids: Int[Tensor, "B N"], logits: Float[Tensor, "B V"]) -> Bool[Tensor, "B V"]:
    """Which of a row's V tokens are among its `ids`; an id outside the vocabulary (`ABSENT`) marks nothing."""
    rows, vocab = logits.shape
    spare = torch.where((ids < 0) | (ids >= vocab), vocab, ids)
    marked = torch.zeros(rows, vocab + 1, dtype=torch.bool, device=logits.device)
    return marked.scatter(-1, spare, True)[:, :vocab]


@dataclass(frozen=True)
class GapsInOrder:
    """The form in which an encoder-decoder fills gaps: a sentinel a gap, in order, each with some text behind it.

    Span corruption never makes an empty span or another order (Raffel et al. 2020, section 3.1.4), but a small model
    may. `gaps` are the sentinels to come, `sentinels` all that there are, `end_ids` may follow the last gap's text.
    """

    gaps: tuple[int, ...]
    sentinels: frozenset[int]
    end_ids: frozenset[int]

    def __call__(self, logits: Float[Tensor, "B V"], history: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """Every mark but the next one, and that one too right after a mark."""
        forbidden = torch.zeros_like(logits, dtype=torch.bool)
        marks = sorted(self.sentinels | self.end_ids)
        for row, tokens in enumerate(history.tolist()):
            begun = sum(token in self.gaps for token in tokens)
            if begun == 0:
                forbidden[row] = True
                forbidden[row, self.gaps[0]] = False
            elif tokens[-1] in self.sentinels:
                forbidden[row, marks] = True
            else:
                following = self.gaps[begun : begun + 1] or tuple(self.end_ids)
                forbidden[row, [mark for mark in marks if mark not in following]] = True
        return logits.masked_fill(forbidden, _FORBIDDEN)
