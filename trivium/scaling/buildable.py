"""A law's optimum as a shape that can be built, by the shape's own FLOPs. No torch.

C: FLOPs of the budget    N: parameters, as the law counts them    D: tokens of training    I: tokens of inference

A law plans with C = k N D, k = 6 (3 for an encoder-decoder). A real shape's k is other: attention, the vocabulary's
head, and layers that see only masked positions make it 2 to 10, and more where the model is tiny. So N is looked up
again with the k of the shape that was found, until it is the same shape's: D / N stays the law's, and C is spent.
"""

__all__ = ["Buildable", "Question", "Verdict", "buildable", "fitting_flops"]

import math
from dataclasses import dataclass
from typing import Literal

from trivium.architecture import Architecture
from trivium.errors import UsageError
from trivium.families.family import Family
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN
from trivium.plan.nearest_shape import WIDEST, nearest_shape
from trivium.scaling.inference_aware import best_within
from trivium.scaling.law import Law
from trivium.scaling.laws import LAWS
from trivium.scaling.parametric import Optimum, ParametricLaw

#: Whether a budget has a shape: "small" is a budget too small for the smallest, "large" one too large for the largest.
Verdict = Literal["fits", "small", "large"]

#: What a shape may be larger or smaller than the law's size: a factor that costs a hundredth of the loss.
_TOLERANCE = 1.3
#: Positions of an encoder's row that bear a loss (Devlin et al. 2019, section 3.1).
_MASKED_SHARE = 0.15
_ROUNDS, _SETTLED = 12, 0.02


@dataclass(frozen=True)
class Question:
    """What is asked of a budget. `unique_tokens` and `inference_tokens` are None where they do not matter."""

    law: Law
    family: Family
    vocab: int
    context: int
    unique_tokens: float | int | None = None
    inference_tokens: float | int | None = None

    @property
    def row_tokens(self) -> int:
        """Tokens of a row: an encoder-decoder reads `context` of them and writes as many."""
        return self.context * (2 if self.family.kind == "encoder-decoder" else 1)

    def wanted(self, flops: float | int, rate: float | int) -> Optimum:
        """The law's optimum where a token costs `rate` FLOPs a parameter.

        Raises `UsageError` where a law without L(N, D) is asked about repeated data or inference.
        """
        law = self.law
        fresh = law.optimum(flops, rate)
        if self.inference_tokens is None and (self.unique_tokens is None or fresh.tokens <= self.unique_tokens):
            return fresh
        if not isinstance(law.rule, ParametricLaw):
            able = ", ".join(other.name for other in LAWS.values() if isinstance(other.rule, ParametricLaw))
            raise UsageError(
                f"{law.title} does not say what repeated data or a model that serves come to: it has no L(N, D) of the "
                f"form E + A/N^α + B/D^β. Take one of {able}."
            )
        unique = math.inf if self.unique_tokens is None else self.unique_tokens
        best = best_within(law.rule, flops, self.inference_tokens or 0, rate, unique)
        return Optimum(float(flops), best.parameters, best.tokens, best.loss)


@dataclass(frozen=True)
class Buildable:
    """The shape nearest to what a law wants, its size as the law counts, and the tokens that the budget leaves it."""

    wanted: Optimum
    architecture: Architecture
    size: int
    flops_per_token: float
    tokens: float
    verdict: Verdict


def buildable(question: Question, flops: float | int) -> Buildable:
    """The shape that a budget of `flops` would train."""
    law, served = question.law, (question.inference_tokens or 0) / 3
    rate: float = FLOPS_PER_PARAMETER_AND_TOKEN[question.family.kind]
    share = 1.0
    seen: set[int] = set()
    for _ in range(_ROUNDS):
        wanted = question.wanted(flops, rate)
        architecture = nearest_shape(
            question.family, share * wanted.parameters, question.vocab, question.context, law.size_of
        )
        size = law.size_of(architecture)
        flops_per_token = _training_flops(architecture, question.context) / question.row_tokens
        tokens = flops / flops_per_token - served
        # Settled, or swinging between two shapes whose rates differ.
        settled = abs(flops_per_token / size / rate - 1) < _SETTLED or size in seen
        rate = flops_per_token / size
        seen.add(size)
        if settled and (tokens >= wanted.tokens / 2 or size > _TOLERANCE * wanted.parameters):
            break
        if settled:  # a shape a little too large may serve away what is left for its training
            share *= 0.95
    verdict: Verdict = "fits"
    if size > _TOLERANCE * wanted.parameters or tokens < wanted.tokens / 2:
        verdict = "small"
    elif size < wanted.parameters / _TOLERANCE and architecture.dim == WIDEST:
        verdict = "large"
    return Buildable(wanted, architecture, size, flops_per_token, tokens, verdict)


def fitting_flops(question: Question, flops: float | int, verdict: Verdict) -> float:
    """The least FLOPs that have a shape where `flops` are too small, or the most where they are too large."""
    factor = 4.0 if verdict == "small" else 0.25
    outside, inside = float(flops), flops * factor
    while buildable(question, inside).verdict != "fits":
        outside, inside = inside, inside * factor
    for _ in range(9):
        middle = math.sqrt(outside * inside)
        if buildable(question, middle).verdict == "fits":
            inside = middle
        else:
            outside = middle
    return inside


def _training_flops(architecture: Architecture, length: int) -> int:
    match architecture.kind:
        case "encoder":
            return architecture.training_flops(length, targets=round(_MASKED_SHARE * length))
        case "decoder":
            return architecture.training_flops(length)
        case "encoder-decoder":
            return architecture.training_flops(length, length)
