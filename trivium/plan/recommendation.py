"""What `trivium which` answers: the choice, what came next, the numbers, the reasons, the assumptions. No torch."""

__all__ = ["COLUMNS", "Pick", "Recommendation"]

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from trivium.architecture import Kind
from trivium.families.registry import FAMILIES
from trivium.plan.advice import ZERO_SHOT, Adaptation, Option, Way
from trivium.plan.candidates import Candidate, Limits
from trivium.plan.devices import Device
from trivium.plan.serving import COMPUTE_SHARE, FORMULAS, WEIGHTS_FACTOR, peak_of

_CLASSES = ((1e8, "under 100M"), (1e9, "100M to 1B"), (1e10, "1B to 10B"), (1e11, "10B to 100B"))
#: float32 weights and gradients, and two states of AdamW (mixed by autocast).
_FINE_TUNING_BYTES = 16


_WAYS: dict[Way, str] = {"prompt": "Prompt", "few-shot": "Give a few examples to", "fine-tune": "Fine-tune"}
_OBJECTIVES = {
    "masked": "masked language modelling",
    "causal": "causal language modelling",
    "span": "span corruption",
}

#: Above the rows of picks.
COLUMNS = ("", "model", "kind", "objective", "size", "memory", "a token", "a request")


@dataclass(frozen=True)
class Pick:
    """One option with its largest model that fits, or None where none does. `families` are all of its kind."""

    kind: Kind
    objective: str
    families: tuple[str, ...]
    model: Candidate | None
    why: str
    source: str

    @classmethod
    def of(cls, option: Option, model: Candidate | None) -> "Pick":
        """What is known of an option."""
        families = tuple(name for name, family in FAMILIES.items() if family.kind == option.kind)
        return cls(option.kind, option.objective, families, model, option.why, option.source)

    @property
    def size_class(self) -> str | None:
        """The class of the model's size, in parameters."""
        if self.model is None:
            return None
        parameters = self.model.parameters
        return next((name for limit, name in _CLASSES if parameters < limit), "above 100B")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the size class."""
        return {**asdict(self), "size_class": self.size_class}


@dataclass(frozen=True)
class Recommendation:
    """The answer. `unless` is what would change it, `larger` the next size, which does not fit.

    `adaptations` turn one kind of pretrained model into another, where one is to be prompted.
    """

    task: str
    what: str
    asked: str
    way: Way
    limits: Limits
    device: Device | None
    choice: Pick
    others: tuple[Pick, ...]
    larger: Candidate | None
    unless: str
    assumptions: tuple[str, ...]
    adaptations: tuple[Adaptation, ...]

    @property
    def model(self) -> Candidate:
        """The model to start from."""
        assert self.choice.model is not None
        return self.choice.model

    @property
    def fine_tuning_bytes(self) -> int:
        """Weights, gradients and AdamW's states of full fine-tuning: 16 bytes a parameter, without activations."""
        return _FINE_TUNING_BYTES * self.model.parameters

    @property
    def title(self) -> str:
        """What to do, with which model."""
        what = "Take" if self.choice.kind == "encoder" and self.way != "fine-tune" else _WAYS[self.way]
        return f"{what} {self.model.name}: {self.choice.kind}, {self.choice.size_class} parameters"

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Picks as a table, `COLUMNS` above it."""
        for number, pick in enumerate((self.choice, *self.others)):
            yield "runner-up" if number else "choice", *_row(pick)

    def lines(self) -> Iterator[tuple[str, str]]:
        """What stands below the table: a word, and what is said of it."""
        yield "task", f"{self.task}: {self.what}"
        yield "why", f"{self.choice.why} [{self.choice.source}]"
        yield "unless", self.unless
        for pick in self.others:
            yield f"or {pick.kind}", f"{pick.why} [{pick.source}]"
        yield "start", self._start()
        yield "memory", _memory(self.model, self.limits)
        if self.larger is not None:
            yield "larger", f"the next size, {self.larger.name}, takes {_taken(self.larger)}"
        if self.device is not None:
            yield "time", _time(self.device, self.model, self.limits)
        for pair in (pick.model for pick in (self.choice, *self.others) if pick.kind == "encoder-decoder"):
            if pair is not None:
                yield "compute", _compute(pair, self.limits)
        if self.adaptations:
            yield "zero-shot", _zero_shot()
        for adaptation in self.adaptations:
            yield adaptation.name, _adaptation(adaptation)
        for assumption in self.assumptions:
            yield "assumed", assumption

    def _start(self) -> str:
        """What to start from, and what to pretrain by where nothing suits."""
        training = ""
        if self.way == "fine-tune":
            needed = self.fine_tuning_bytes
            training = f"; full fine-tuning takes {needed / 1e9:,.3g} GB and activations (16 bytes a parameter)"
            if self.device is not None and needed > self.device.memory_bytes:
                training += f", more than {self.device.title} has: take a smaller size, or train elsewhere"
        return (
            f"from {self.model.name}{training}; or pretrain one of your own ({', '.join(self.choice.families)}) by "
            f"{_OBJECTIVES[self.choice.objective]}"
        )

    def __str__(self) -> str:
        table = [COLUMNS, *self.rows()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        aligned = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
        return "\n".join([self.title, "", *aligned, "", *(f"{word}: {said}" for word, said in self.lines())])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the formulas."""
        return {
            "task": self.task,
            "what": self.what,
            "asked": self.asked,
            "way": self.way,
            "limits": self.limits.to_dict(),
            "device": None if self.device is None else self.device.to_dict(),
            "choice": self.choice.to_dict(),
            "others": [pick.to_dict() for pick in self.others],
            "larger": None if self.larger is None else asdict(self.larger),
            "unless": self.unless,
            "assumptions": list(self.assumptions),
            "adaptations": [asdict(adaptation) for adaptation in self.adaptations],
            "fine_tuning_bytes": self.fine_tuning_bytes,
            "formulas": FORMULAS,
        }


def _row(pick: Pick) -> tuple[str, ...]:
    if pick.model is None:
        return "none fits", pick.kind, pick.objective, "", "", "", ""
    taken = pick.model.serving
    return (
        pick.model.name,
        pick.kind,
        pick.objective,
        _count(pick.model.parameters),
        f"{taken.memory_bytes / 1e9:,.3g} GB",
        _duration(taken.token_seconds),
        _duration(taken.request_seconds),
    )


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:.3g}B" if parameters >= 1e9 else f"{parameters / 1e6:.3g}M"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:,.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def _taken(model: Candidate) -> str:
    time = model.serving.request_seconds
    return f"{model.serving.memory_bytes / 1e9:,.3g} GB" + (f" and {_duration(time)} a request" if time else "")


def _zero_shot() -> str:
    """Table 3 of Wang et al. 2022."""
    scores = "; ".join(f"{what} {harness} / {t0}" for what, (harness, t0) in ZERO_SHOT.items())
    return f"after pure pretraining, mean accuracy in % (EAI harness / T0 tasks): {scores} [Wang et al. 2022, table 3]"


def _memory(model: Candidate, limits: Limits) -> str:
    taken = model.serving
    return (
        f"{WEIGHTS_FACTOR} x {taken.weight_bytes / 1e9:,.3g} GB of weights + {taken.cache_bytes / 1e6:,.3g} MB of keys "
        f"and values = {taken.memory_bytes / 1e9:,.3g} GB; the limit is {limits.memory_bytes / 1e9:,.4g} GB"
    )


def _time(device: Device, model: Candidate, limits: Limits) -> str:
    taken = model.serving
    peak = peak_of(device, limits.weights)
    said = (
        f"{device.title}: {device.bandwidth / 1e9:,.4g} GB/s, {COMPUTE_SHARE:.0%} of {peak / 1e12:,.4g} TFLOP/s; "
        f"reading {limits.read_by(model.kind):,} tokens {_duration(taken.read_seconds)}"
    )
    if taken.token_seconds is None:
        return said
    return f"{said}, writing {limits.outputs:,} at {_duration(taken.token_seconds)} each"


def _compute(pair: Candidate, limits: Limits) -> str:
    whole = 6 * pair.non_embedding_parameters * (limits.read_by(pair.kind) + limits.outputs)
    return (
        f"{pair.name} trains on a request in 6 (N_enc x {limits.read_by(pair.kind):,} + N_dec x {limits.outputs:,}) = "
        f"{pair.training_flops:.3g} FLOPs, a decoder as large in {whole:.3g} (where as much is written as read, "
        "2N costs what a decoder of N does)"
    )


def _adaptation(adaptation: Adaptation) -> str:
    return (
        f"{adaptation.what}: {adaptation.tokens / 1e9:.0f}B tokens more, {adaptation.speedup} times faster than from "
        f"scratch, {adaptation.total_cost} times the first training in all [Wang et al. 2022, finding 3]"
    )
