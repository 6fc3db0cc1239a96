"""The parity gate: whether a model in a new form still says what it said before.

Every change of form (export, quantization) is judged alike. The model before and the model after read the same probe
texts, one model in memory at a time:

    before ── record ──┐
                       ├── compare ── Parity ── require: ParityError past the bound
    after  ── record ──┘

    largest |logit gap|,   KL(before ‖ after) = sum_v p(v) (log p(v) − log q(v)) in nats a token,
    relative error = |gaps| / |logits|, both without their mean at each position and over all of them,
    agreement = share of positions with the same first choice

The tokenizer is judged by its file's hash, by the probes' encodings, and by how it cuts the text of each of its own
tokens, which every merge takes part in; the chat template by its hash. Both models should compute in float32: then
what differs is the form, not the arithmetic.
"""

__all__ = ["BOUNDS", "Bound", "Check", "Parity", "compare"]

import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from trivium.errors import ParityError
from trivium.evaluate.recording import Recording


@dataclass(frozen=True)
class Bound:
    """What may differ. None: anything may. `same_file`: the tokenizer's file must be the same to the byte."""

    logit_gap: float | None
    relative_error: float
    mean_kl: float
    max_kl: float
    agreement: float
    same_file: bool = True


#: By the form that the weights took. In float32 nothing is rounded, so what differs is an order of summation.
BOUNDS: Mapping[str, Bound] = {
    "float32": Bound(logit_gap=1e-4, relative_error=1e-4, mean_kl=1e-6, max_kl=1e-5, agreement=0.99),
    "float16": Bound(logit_gap=None, relative_error=0.01, mean_kl=1e-4, max_kl=0.01, agreement=0.97),
    "bfloat16": Bound(logit_gap=None, relative_error=0.03, mean_kl=2e-3, max_kl=0.05, agreement=0.95),
    "q8_0": Bound(logit_gap=None, relative_error=0.08, mean_kl=1e-2, max_kl=0.2, agreement=0.93),
}


@dataclass(frozen=True)
class Check:
    """One figure of the gate with its bound; None: not bounded."""

    what: str
    value: float | bool
    bound: float | bool | None
    passed: bool

    def __str__(self) -> str:
        bound = "" if self.bound is None or isinstance(self.value, bool) else f"bound {_shown(self.bound)}"
        return f"{self.what:<22} {_shown(self.value):>10}   {bound:<12} {'ok' if self.passed else 'FAILED'}"


@dataclass(frozen=True)
class Parity:
    """How far the model after is from the model before, over `positions` positions of the probes.

    `worst` is the probe with the largest gap; `differences` says in words what differs in the tokenizer, the template
    or the shapes.
    """

    logit_gap: float
    relative_error: float
    mean_kl: float
    max_kl: float
    agreement: float
    positions: int
    worst: str
    same_tokenizer: bool
    same_encodings: bool
    same_template: bool
    bound: Bound
    differences: tuple[str, ...] = field(default=())

    @property
    def checks(self) -> tuple[Check, ...]:
        """Each figure with its bound and whether it passed. NaN passes nothing."""
        bound = self.bound
        gap, error, same_file = self.logit_gap, self.relative_error, self.same_tokenizer
        return (
            Check("largest logit gap", gap, bound.logit_gap, gap <= (bound.logit_gap or sys.float_info.max)),
            Check("relative error", error, bound.relative_error, error <= bound.relative_error),
            Check("mean KL, nats a token", self.mean_kl, bound.mean_kl, self.mean_kl <= bound.mean_kl),
            Check("largest KL, nats", self.max_kl, bound.max_kl, self.max_kl <= bound.max_kl),
            Check("token agreement", self.agreement, bound.agreement, self.agreement >= bound.agreement),
            Check("same encodings", self.same_encodings, True, self.same_encodings),
            Check("same tokenizer file", same_file, bound.same_file or None, same_file or not bound.same_file),
            Check("same chat template", self.same_template, True, self.same_template),
        )

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(check.passed for check in self.checks)

    def require(self) -> None:
        """Raise `ParityError` that says which checks failed, unless all passed."""
        if self.passed:
            return
        failed = [check for check in self.checks if not check.passed]
        numbers = [check for check in failed if not isinstance(check.value, bool)]
        said = [f"the {one.what} is {_shown(one.value)}, the bound {_shown(one.bound)}" for one in numbers]
        if numbers:
            said[-1] += f" (the weights or the config differ, most on the probe '{self.worst}')"
        said += [f"it does not have the {one.what}" for one in failed if one not in numbers]
        raise ParityError(
            " ".join(
                [f"The model in its new form does not say what it said before: {'; '.join(said)}.", *self.differences]
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self) | {"passed": self.passed}

    def __str__(self) -> str:
        return "\n".join([*map(str, self.checks), *self.differences])


def compare(before: Recording, after: Recording, bound: Bound) -> Parity:
    """How far two recordings are apart; `after` was recorded like `before`."""
    gaps: dict[str, float] = {}
    divergences: list[Tensor] = []
    same, difference, total = 0, 0.0, 0.0
    differences = _tokenizer_differences(before, after)
    for name, old in before.logits.items():
        new = after.logits[name]
        if old.shape != new.shape:
            differences.append(f"The model said {old.shape[-1]:,} tokens before and says {new.shape[-1]:,} now.")
            return _apart(before, after, bound, differences)
        gaps[name] = float((old - new).abs().max().nan_to_num(nan=math.inf))
        log_p, log_q = old.double().log_softmax(dim=-1), new.double().log_softmax(dim=-1)
        difference += float(_spread(log_p - log_q))
        total += float(_spread(log_p))
        divergences.append((log_p.exp() * (log_p - log_q)).sum(dim=-1))
        same += int((old.argmax(dim=-1) == new.argmax(dim=-1)).sum())
    kl = torch.cat(divergences).clamp(min=0)  # rounding may leave a zero a little below
    return Parity(
        logit_gap=max(gaps.values()),
        relative_error=math.sqrt(difference / total) if total else math.sqrt(difference),
        mean_kl=float(kl.mean()),
        max_kl=float(kl.max()),
        agreement=same / len(kl),
        positions=len(kl),
        worst=max(gaps, key=lambda name: gaps[name]),
        bound=bound,
        differences=tuple(differences),
        **_sameness(before, after),
    )


def _tokenizer_differences(before: Recording, after: Recording) -> list[str]:
    found = []
    for name, ids in before.encodings.items():
        now = after.encodings.get(name, ())
        if ids != now:
            at = next((i for i, (a, b) in enumerate(zip(ids, now, strict=False)) if a != b), min(len(ids), len(now)))
            found.append(f"The probe '{name}' is encoded differently from its token {at} on.")
            break
    if len(before.pieces) != len(after.pieces):
        found.append(f"The tokenizer had {len(before.pieces):,} tokens and has {len(after.pieces):,}.")
    changed = [
        i for i, (old, new) in enumerate(zip(before.pieces, after.pieces, strict=False)) if list(old) != list(new)
    ]
    if changed:
        old, new = list(before.pieces[changed[0]]), list(after.pieces[changed[0]])
        found.append(
            f"The text of token {changed[0]} was encoded as {old} and now is as {new}: a merge or piece differs."
        )
    if before.template != after.template:
        lost, came = after.template is None, before.template is None
        found.append(f"The chat template {'was lost' if lost else 'came from nowhere' if came else 'is another one'}.")
    return found


def _sameness(before: Recording, after: Recording) -> dict[str, bool]:
    return {
        "same_tokenizer": before.fingerprint == after.fingerprint,
        "same_encodings": dict(before.encodings) == dict(after.encodings)
        and [list(ids) for ids in before.pieces] == [list(ids) for ids in after.pieces],
        "same_template": before.template == after.template,
    }


def _apart(before: Recording, after: Recording, bound: Bound, differences: list[str]) -> Parity:
    """Two models that cannot be compared."""
    return Parity(
        logit_gap=math.inf,
        relative_error=math.inf,
        mean_kl=math.inf,
        max_kl=math.inf,
        agreement=0.0,
        positions=0,
        worst=next(iter(before.logits)),
        bound=bound,
        differences=tuple(differences),
        **_sameness(before, after),
    )


def _spread(logits: Tensor) -> Tensor:
    """The sum of squares of logits about their mean at each position."""
    return (logits - logits.mean(dim=-1, keepdim=True)).square().sum()


def _shown(value: float | bool | None) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:.3g}"
