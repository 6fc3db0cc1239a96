"""From a budget to a model that can be built, its data, and how it is trained. No torch.

C: FLOPs of the budget    N: parameters    D: tokens    L: nats a token

1. The law's N for C = k N D, with k = 6, or 3 for an encoder-decoder; less where the model will also serve, and shared
   with epochs where data run out.
2. The buildable shape of the family nearest to N.
3. D again, from the shape's own FLOPs a token, in whole steps: the budget is spent to the last step.
"""

__all__ = ["model_for"]

import inspect
import math
from functools import partial

from trivium.architecture import Architecture
from trivium.errors import BudgetError, UsageError
from trivium.families.family import Family
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN
from trivium.plan.nearest_shape import nearest_shape
from trivium.scaling.budget import Budget
from trivium.scaling.budget_plan import BudgetPlan
from trivium.scaling.inference_aware import best_within
from trivium.scaling.law import Law
from trivium.scaling.laws import DEFAULT_LAW, LAWS
from trivium.scaling.parametric import Optimum, ParametricLaw
from trivium.scaling.recipe import recipe
from trivium.scaling.repetition import RepetitionLaw, worth_of_epoch

#: What a shape may be larger or smaller than the law's size: a factor that costs a hundredth of the loss.
_TOLERANCE = 1.3
#: Positions of an encoder's row that bear a loss (Devlin et al. 2019, section 3.1).
_MASKED_SHARE = 0.15
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
    split = partial(_split, law, FLOPS_PER_PARAMETER_AND_TOKEN[family.kind], unique_tokens, inference_tokens)
    wanted = split(budget.flops)
    architecture = nearest_shape(family, wanted.parameters, words, length, law.size_of)
    size = law.size_of(architecture)
    _check_size(budget, architecture, size, wanted, split)

    row_tokens = 2 * length if architecture.kind == "encoder-decoder" else length
    flops_per_token = _training_flops(architecture, length) / row_tokens
    inference_flops = (inference_tokens or 0) * flops_per_token / 3
    tokens = (budget.flops - inference_flops) / flops_per_token
    loss_law = law if law.loss(size, tokens) is not None else DEFAULT_LAW
    loss = _loss(loss_law, loss_law.size_of(architecture), tokens, unique_tokens)
    settings = recipe(architecture.parameters, tokens, min(loss, math.log(words)), row_tokens, budget.devices or 1)
    read = float(settings.steps * settings.batch_tokens)
    epochs = None if unique_tokens is None else read / unique_tokens
    return BudgetPlan(
        budget=budget,
        law=law,
        wanted=wanted,
        architecture=architecture,
        context=length,
        tokens=read,
        flops_per_token=flops_per_token,
        inference_flops=inference_flops,
        loss=loss,
        loss_law=loss_law,
        epochs=epochs,
        recipe=settings,
        notes=_notes(law, loss_law, size, wanted, flops_per_token, architecture),
        warnings=(*law.beyond(size, read), *_warnings(architecture, loss, read, unique_tokens)),
    )


def _own(family: Family, name: str) -> int:
    value = inspect.signature(family.preset).parameters[name].default
    assert isinstance(value, int), f"{family.name} has no {name} of its own"
    return value


def _split(
    law: Law,
    rate: float | int,
    unique_tokens: float | int | None,
    inference_tokens: float | int | None,
    flops: float | int,
) -> Optimum:
    fresh = law.optimum(flops, rate)
    if inference_tokens is None and (unique_tokens is None or fresh.tokens <= unique_tokens):
        return fresh
    if not isinstance(law.rule, ParametricLaw):
        able = ", ".join(other.name for other in LAWS.values() if isinstance(other.rule, ParametricLaw))
        raise UsageError(
            f"{law.title} does not say what repeated data or a model that serves come to: it has no L(N, D) of the "
            f"form E + A/N^α + B/D^β. Take one of {able}."
        )
    unique = math.inf if unique_tokens is None else unique_tokens
    best = best_within(law.rule, flops, inference_tokens or 0, rate, unique)
    return Optimum(float(flops), best.parameters, best.tokens, best.loss)


def _check_size(
    budget: Budget, architecture: Architecture, size: int, wanted: Optimum, split: "partial[Optimum]"
) -> None:
    if wanted.parameters / _TOLERANCE <= size <= wanted.parameters * _TOLERANCE:
        return
    small = size > wanted.parameters
    wished = size / _TOLERANCE if small else size * _TOLERANCE
    low, high = 1.0, 1e40
    for _ in range(120):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if split(middle).parameters < wished else (low, middle)
    end, bound, way = ("smallest", "at least", "more") if small else ("largest", "at most", "less")
    wider = " a smaller vocabulary," if small else ""
    raise BudgetError(
        f"{budget.flops:.3g} FLOPs are for {wanted.parameters:.3g} parameters, and the {end} {architecture.family} "
        f"there is with a vocabulary of {architecture.vocab:,} has {size:,}. It wants {bound} {high:.3g} FLOPs: give "
        f"{way},{wider} or another family."
    )


def _training_flops(architecture: Architecture, length: int) -> int:
    match architecture.kind:
        case "encoder":
            return architecture.training_flops(length, targets=round(_MASKED_SHARE * length))
        case "decoder":
            return architecture.training_flops(length)
        case "encoder-decoder":
            return architecture.training_flops(length, length)


def _loss(law: Law, size: float | int, tokens: float | int, unique_tokens: float | int | None) -> float:
    if unique_tokens is not None and tokens > unique_tokens and isinstance(law.rule, ParametricLaw):
        return RepetitionLaw(law.rule).loss(size, tokens, unique_tokens)
    loss = law.loss(size, tokens)
    assert loss is not None
    return loss


def _notes(
    law: Law, loss_law: Law, size: int, wanted: Optimum, flops_per_token: float, architecture: Architecture
) -> tuple[str, ...]:
    counted = "parameters" if law.size == "all" else "parameters without embeddings"
    rule = FLOPS_PER_PARAMETER_AND_TOKEN[architecture.kind]
    return (
        f"{law.title} wants {wanted.parameters:.4g} {counted}; the nearest shape has {size:,}, "
        f"{size / wanted.parameters - 1:+.1%}.",
        f"A token takes {flops_per_token:.4g} FLOPs, exactly: {flops_per_token / size:.2f} a parameter, where the law "
        f"plans with {rule:g}.",
        f"The loss is by {loss_law.title}, in nats a token of {loss_law.tokenizer}: with another tokenizer or other "
        "text it will differ.",
    )


def _warnings(
    architecture: Architecture, loss: float, tokens: float, unique_tokens: float | int | None
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
    epochs = 0.0 if unique_tokens is None else tokens / unique_tokens
    if epochs > 1:
        said.append(f"The data are read {epochs:.3g} times: {_worth(epochs)}")
    return tuple(said)


def _worth(epochs: float) -> str:
    if epochs <= _CHEAP_EPOCHS:
        return "almost as good as fresh data, as up to 4 times are."
    if epochs <= _USELESS_EPOCHS:
        return f"the last time is worth {worth_of_epoch(epochs):.0%} of fresh data. More text would be better."
    return "nothing is won any more after 40. More text is worth more than more compute."
