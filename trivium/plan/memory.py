"""The memory of a training step, by formula: what stands where it is highest, and where that is. No torch.

    weights            4 bytes a parameter                    gradients    4 bytes a trained parameter
    optimizer states   AdamW 8 bytes a trained parameter and 4 a tensor; Muon 4 a parameter of the blocks' matrices
    activations        what each layer saves for its backward pass (see `activations`)

The weights and states are always there. Activations grow in the forward pass and shrink in the backward pass, while
the gradients grow; so the peak may stand at the loss (many logits), at the top layer (many tokens), at the bottom (many
weights), at the embedding (whose gradient is dense, and waits for that of a tied head), or in the optimizer's step.

Memory is linear in the number of layers at each place of the step, so that two or three of them are enough to know any
number: the formulas cost the same for every model. What is assumed:

- the layer's order of operations as `trivium.nn` has it, on a CPU; a kernel's own workspace is not counted;
- attention by torch's fused kernel, which makes no matrix of scores, except where attention has dropout or a learned
  bias (T5): then torch's formula makes it, in float32. On a GPU dropout and biases may have a fused kernel too, and
  dropout masks take one byte a number, not the number's size: there this is an upper bound.
- every row is of full length; `masked` rows have a matrix of who sees whom;
- a task head is not trained beside the language model's.
"""

__all__ = ["TrainingMemory", "korthikanti_bytes", "saved_bytes", "training_memory"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trivium import architecture as arch
from trivium.adapt.lora import Lora
from trivium.plan.passes import run_passes
from trivium.plan.tape import Parameter
from trivium.plan.workload import Workload

#: More repetitions of a stack's pattern than these, a bottom and a top one, are not run but added.
_ENOUGH = 2
_BETWEEN = "layers between"
_PLACES = (
    "embedding",
    "bottom layer",
    "layer above the bottom",
    _BETWEEN,
    "layer below the top",
    "top layer",
    "last norm",
)
#: The layers next to the highest and the lowest, which may be peaks where those are not: a bias that all layers share
#: has no gradient yet at the top.
_BELOW, _ABOVE = ("layer below the top", "top layer"), ("layer above the bottom", "bottom layer")


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes of a step at its peak. The process's own (Python, torch, the data) is not in it.

    `weights`, `gradients` and `optimizer` are those of the whole model, exact; `gradients_at_peak` are those that are
    there at the peak. `activations` says what the rest at the peak is, `at_loss` what it is at the loss, and `phases`
    the highest total of each phase.
    """

    weights: int
    gradients: int
    optimizer: int
    gradients_at_peak: int
    activations: Mapping[str, int]
    peak_phase: str
    phases: Mapping[str, int] = field(default_factory=dict)
    at_loss: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The peak."""
        return self.weights + self.optimizer + self.gradients_at_peak + self.activation_bytes

    @property
    def activation_bytes(self) -> int:
        """All that is at the peak neither weight nor gradient of a weight nor state."""
        return sum(self.activations.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the total."""
        return {
            "total": self.total,
            "peak_phase": self.peak_phase,
            "weights": self.weights,
            "gradients": self.gradients,
            "optimizer": self.optimizer,
            "gradients_at_peak": self.gradients_at_peak,
            "activation_bytes": self.activation_bytes,
            "activations": dict(self.activations),
            "phases": dict(self.phases),
            "at_loss": dict(self.at_loss),
        }


def training_memory(workload: Workload) -> TrainingMemory:
    """The peak of a step after the first (which makes the optimizer's states), on one device that holds everything."""
    run = _Run.of(workload)
    weights = 4 * (workload.architecture.parameters + run.added)
    gradients = 4 * run.trained
    standing = gradients if workload.accumulation > 1 else 0
    phases = {phase: dict(items) for phase, items in run.phases.items()}
    phases["optimizer step"] = {"gradients": gradients, "optimizer's own": run.scratch}
    if standing:
        for phase, items in phases.items():
            if phase != "optimizer step":
                items["gradients"] = items.get("gradients", 0) + standing
    totals = {phase: weights + run.states + sum(phases[phase].values()) for phase in sorted(phases, key=_moment)}
    peak = max(totals, key=lambda phase: totals[phase])
    loss = max((phase for phase in totals if phase.endswith("head and loss")), key=lambda phase: totals[phase])
    at_peak = phases[peak].get("gradients", 0)
    rest = {phase: _without_gradients(phases[phase]) for phase in (peak, loss)}
    return TrainingMemory(weights, gradients, run.states, at_peak, rest[peak], peak, totals, rest[loss])


def _without_gradients(items: Mapping[str, int]) -> dict[str, int]:
    """The largest first."""
    return {
        kind: size for kind, size in sorted(items.items(), key=lambda item: -item[1]) if size and kind != "gradients"
    }


def saved_bytes(workload: Workload) -> int:
    """What one layer more adds to what is saved for the backward pass, averaged over the stacks' patterns."""
    stacks = workload.architecture.stacks
    more = _at(workload, [3] * len(stacks))
    fewer = _at(workload, [2] * len(stacks))
    phase = "forward pass: head and loss"
    grown = sum(more.phases[phase].values()) - sum(fewer.phases[phase].values())
    return grown // sum(len(stack.pattern) for stack in stacks)


def korthikanti_bytes(tokens: int, dim: int, heads: int, length: int) -> int:
    """A layer's activations as published: s b h (34 + 5 a s / h) (Korthikanti et al. 2022, equation 1).

    `tokens` are s b of `length` s; 16-bit numbers, an MLP of 4 h, dropout masks of one byte, scores not fused.
    """
    return tokens * dim * 34 + 5 * tokens * heads * length


@dataclass(frozen=True)
class _Run:
    """Of a model: numbers that LoRA adds, that are trained, bytes of states, the largest update, and each phase."""

    added: int
    trained: int
    states: int
    scratch: int
    phases: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, work: Workload) -> "_Run":
        """Run it at a small depth and add what the missing layers would."""
        full = [stack.periods for stack in work.architecture.stacks]
        if work.lora is not None and not _adapts_alike(work.architecture, work.lora):
            return _at(work, full)
        base = run = _at(work, [min(periods, _ENOUGH) for periods in full])
        for index, periods in enumerate(full):
            if periods > _ENOUGH:
                more = _at(work, [_ENOUGH + 1 if i == index else min(p, _ENOUGH) for i, p in enumerate(full)])
                run = run._grown(base, more, periods - _ENOUGH)
        return run

    def _grown(self, base: "_Run", more: "_Run", times: int) -> "_Run":
        # A layer more moves the lowest and the highest by so much each, and with them the layers next to them.
        phases = {}
        for phase, items in self.phases.items():
            like = phase.replace(*_BELOW).replace(*_ABOVE)
            phases[phase] = _line(items, more.phases[like], base.phases[like], times)
        for phase, items in more.phases.items():
            for name, anchor in (_BELOW, _ABOVE):
                if _BETWEEN in phase:
                    like = phase.replace(_BETWEEN, anchor)
                    grown = _line(items, more.phases[like], base.phases[like], times - 1)
                    phases[phase.replace(_BETWEEN, name)] = _line(grown, self.phases[like], base.phases[like], 1)
        return _Run(
            self.added + times * (more.added - base.added),
            self.trained + times * (more.trained - base.trained),
            self.states + times * (more.states - base.states),
            self.scratch,
            phases,
        )


def _moment(phase: str) -> tuple[int, int, int]:
    # When in the step: up through the encoder, the decoder and the head, and back down.
    if phase == "optimizer step":
        return 2, 0, 0
    way, _, where = phase.partition(": ")
    stack, _, place = where.rpartition(", ")
    stacks = ("", "encoder", "decoder")
    height = (len(stacks), 0) if place == "head and loss" else (stacks.index(stack), _PLACES.index(place))
    return (0, *height) if way == "forward pass" else (1, -height[0], -height[1])


def _line(start: Mapping[str, int], high: Mapping[str, int], low: Mapping[str, int], times: int) -> dict[str, int]:
    kinds = dict.fromkeys([*start, *high, *low])
    return {kind: start.get(kind, 0) + times * (high.get(kind, 0) - low.get(kind, 0)) for kind in kinds}


def _at(work: Workload, periods: list[int]) -> _Run:
    tape, parts = run_passes(work, periods)
    named = {id(parameter): (name, parameter) for name, parameter in reversed(parts.weights.items())}.values()
    trained = [(name, parameter) for name, parameter in named if parameter.trained]
    states = scratch = 0
    for name, parameter in trained:
        if work.optimizer == "muon" and _is_inner(name, parameter):
            states += 4 * parameter.elements
            scratch = max(scratch, _orthogonalization_bytes(parameter, 2 if tape.low else 4))
        else:
            states += 8 * parameter.elements + 4
    updates = (".down", ".up", ".magnitude")
    added = sum(parameter.elements for name, parameter in named if name.endswith(updates)) if work.lora else 0
    phases = {phase: items for phase, (_, items) in tape.ledger.peaks.items()}
    return _Run(added, sum(parameter.elements for _, parameter in trained), states, scratch, phases)


def _is_inner(name: str, parameter: Parameter) -> bool:
    # What Muon takes: see `trivium.train.optimizer.build_optimizer`.
    return len(parameter.shape) == 2 and ".layers." in name


def _orthogonalization_bytes(parameter: Parameter, width: int) -> int:
    # The update, two iterates, and a Gram matrix with what is added to it (`trivium.train.muon`).
    small = min(parameter.shape)
    return 4 * parameter.elements + width * (2 * parameter.elements + 2 * small * small)


def _adapts_alike(architecture: arch.Architecture, lora: Lora) -> bool:
    linears = [
        f"{part}.{which}" for part in ("attention", "cross_attention") for which in ("query", "key", "value", "output")
    ]
    linears += ["mlp.up", "mlp.gate", "mlp.down", "attention.distances.projection"]
    for name, stack in (("encoder", architecture.encoder), ("decoder", architecture.decoder)):
        depth = 0 if stack is None else stack.depth
        if len({tuple(lora.matches(f"{name}.layers.{i}.{linear}") for linear in linears) for i in range(depth)}) > 1:
            return False
    return True
