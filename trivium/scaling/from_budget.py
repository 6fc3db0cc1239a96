"""From a budget to a model that can be built, its data, and how it is trained. No torch.

C: FLOPs of the budget    N: parameters    D: tokens    L: nats a token

1. The law's N for C, less where the model will also serve, and shared with epochs where data run out; and the buildable
   shape of the family nearest to it, by its own FLOPs (`buildable`).
2. How it is trained (`recipe`): D in whole steps, so that the budget is spent to the last of them.
3. What there is to know: how near the shape is, whose nats the loss is in, what is extrapolated, how often the data
   are read.
"""

__all__ = ["model_for"]

import inspect
import math

from trivium.architecture import Architecture
from trivium.errors import BudgetError, UsageError
from trivium.families.family import Family
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN
from trivium.scaling.budget import Budget
from trivium.scaling.budget_plan import BudgetPlan
from trivium.scaling.buildable import Buildable, Question, buildable, fitting_flops
from trivium.scaling.law import Law
from trivium.scaling.laws import DEFAULT_LAW
from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.recipe import Recipe, recipe
from trivium.scaling.repetition import RepetitionLaw, worth_of_epoch

#: Fewer steps than this are no training.
_FEW_STEPS = 200
#: Epochs that are almost as good as fresh data, and those after which nothing is won (Muennighoff et al. 2023).
_CHEAP_EPOCHS, _USELESS_EPOCHS = 4.0, 40.0


def model_for(
    budget: Budget,
    family: Family,
    law: Law = DEFAULT_LAW,
    vocab: int | None = None,
    context: int | None = None,
    unique_tokens: float | int | None = None,
    inference_tokens: float | int | None = None,
) -> BudgetPlan:
    """The model of `family` that `law` would train with `budget`.

    `vocab` and `context` are the family's own unless told. Where `unique_tokens` are fewer than the law asks for,
    they are read again, at a loss (Muennighoff et al. 2023). Where the model will read and write `inference_tokens`,
    the budget pays for those, too (Sardana et al. 2024). A row of an encoder-decoder reads and writes `context` tokens.

    Raises `BudgetError` for a budget that no shape of the family fits, with the least or the most that one would, and
    `UsageError` where a law without a loss is asked about repeated data or inference.
    """
    for name, value in (("unique_tokens", unique_tokens), ("inference_tokens", inference_tokens)):
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"{name} must be a number above 0 and finite, got {value}.")
    words = _own(family, "vocab") if vocab is None else vocab
    length = _own(family, "positions") if context is None else context
    for name, value in (("vocab", words), ("context", length)):
        if value < 1:
            raise UsageError(f"{name} must be at least 1, got {value}.")
    question = Question(law, family, words, length, unique_tokens, inference_tokens)
    found = buildable(question, budget.flops)
    if found.verdict != "fits":
        raise _no_shape(question, budget, found)

    architecture = found.architecture
    loss_law = law if law.loss(found.size, found.tokens) is not None else DEFAULT_LAW
    loss = _loss(loss_law, loss_law.size_of(architecture), found.tokens, unique_tokens)
    settings = recipe(
        architecture.parameters,
        found.tokens,
        min(loss, math.log(max(2, words))),
        question.row_tokens,
        budget.devices or 1,
    )
    read = float(settings.steps * settings.batch_tokens)
    return BudgetPlan(
        budget=budget,
        law=law,
        wanted=found.wanted,
        architecture=architecture,
        context=length,
        tokens=read,
        flops_per_token=found.flops_per_token,
        inference_flops=(inference_tokens or 0) * found.flops_per_token / 3,
        loss=loss,
        loss_law=loss_law,
        epochs=None if unique_tokens is None else read / unique_tokens,
        recipe=settings,
        notes=_notes(law, loss_law, found),
        warnings=(*law.beyond(found.size, read), *_warnings(architecture, loss, settings, unique_tokens)),
    )


def _own(family: Family, name: str) -> int:
    value = inspect.signature(family.preset).parameters[name].default
    assert isinstance(value, int), f"{family.name} has no {name} of its own"
    return value


def _no_shape(question: Question, budget: Budget, found: Buildable) -> BudgetError:
    limit = fitting_flops(question, budget.flops, found.verdict)
    name, wanted = question.family.name, found.wanted.parameters
    if found.verdict == "large":
        return BudgetError(
            f"{budget.flops:.3g} FLOPs are for {wanted:.3g} parameters, and the largest {name} that is offered has "
            f"{found.size:,}. It can take {limit:.3g} FLOPs at most."
        )
    serving = question.inference_tokens
    served = "" if serving is None else f" and to serve {serving:.3g} tokens"
    return BudgetError(
        f"{budget.flops:.3g} FLOPs are for {wanted:.3g} parameters{served}, and the nearest {name} with a vocabulary "
        f"of {question.vocab:,} has {found.size:,}. It takes {limit:.3g} FLOPs at least: give more, a smaller "
        f"vocabulary{'' if serving is None else ', fewer tokens to serve'} or another family."
    )


def _loss(law: Law, size: float | int, tokens: float | int, unique_tokens: float | int | None) -> float:
    if unique_tokens is not None and tokens > unique_tokens and isinstance(law.rule, ParametricLaw):
        return RepetitionLaw(law.rule).loss(size, tokens, unique_tokens)
    loss = law.loss(size, tokens)
    assert loss is not None
    return loss


def _notes(law: Law, loss_law: Law, found: Buildable) -> tuple[str, ...]:
    counted = "parameters" if law.size == "all" else "parameters without embeddings"
    rate, rule = found.flops_per_token / found.size, FLOPS_PER_PARAMETER_AND_TOKEN[found.architecture.kind]
    return (
        f"{law.title} wants {found.wanted.parameters:.4g} {counted}; the nearest shape has {found.size:,}, "
        f"{found.size / found.wanted.parameters - 1:+.1%}.",
        f"A token takes {found.flops_per_token:.4g} FLOPs, exactly: {rate:.2f} a parameter, where the rule has "
        f"{rule:g}. The law was asked with that.",
        f"The loss is by {loss_law.title}, in nats a token of {loss_law.tokenizer}: with another tokenizer or other "
        "text it will differ.",
    )


def _warnings(
    architecture: Architecture, loss: float, settings: Recipe, unique_tokens: float | int | None
) -> tuple[str, ...]:
    said = []
    if architecture.kind != "decoder":
        said.append(
            f"Published laws are of decoders that predict the next token: for an {architecture.kind} the size and the "
            "data are a first guess, and the loss is another one's."
        )
    if loss >= math.log(architecture.vocab):
        said.append(
            f"The law's loss of {loss:.2f} is no better than guessing among {architecture.vocab:,} words, "
            f"{math.log(architecture.vocab):.2f}: the model is too small for it. Fit a law to small models of your own."
        )
    if any(layer.norms.before is None for stack in architecture.stacks for layer in stack.pattern):
        said.append(
            "The learning rate is that of pre-norm decoders, and this family has its norms after each sublayer: BERT "
            "was trained with 1e-4, GPT-1 with 2.5e-4. Lower it if the loss does not fall."
        )
    if settings.steps < _FEW_STEPS:
        said.append(
            f"There are {settings.steps:,} steps of {settings.batch_tokens:,} tokens: too few for a warm-up and a way "
            "down. Take fewer devices, or shorter rows."
        )
    epochs = 0.0 if unique_tokens is None else settings.steps * settings.batch_tokens / unique_tokens
    if epochs > 1:
        said.append(f"The data are read {epochs:.3g} times: {_worth(epochs)}")
    return tuple(said)


def _worth(epochs: float) -> str:
    if epochs <= _CHEAP_EPOCHS:
        return "almost as good as fresh data, as up to 4 times are."
    if epochs <= _USELESS_EPOCHS:
        return f"the last time is worth {worth_of_epoch(epochs):.0%} of fresh data. More text would be better."
    return "nothing is won any more after 40. More text is worth more than more compute."
