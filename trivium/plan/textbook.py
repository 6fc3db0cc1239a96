"""The rules of thumb that people know, beside what this model takes, and what they miss. No torch.

    hold     4 bytes a parameter in float32, 2 in 16 bits, 1 in int8, half in int4: 4, 2, 1 and 0.5 GB for 10⁹
    answer   1.2 · the weights (EleutherAI, Transformer Math 101)
    train    24 bytes a parameter: 4 of weights, 4 of gradients, 8 of Adam's means, 8 of activations and the rest

They know neither the batch nor the length, and so not what grows with them: activations, logits, keys and values.
"""

__all__ = ["RuleOfThumb", "rules_for_holding", "rules_for_inference", "rules_for_training"]

from dataclasses import asdict, dataclass
from typing import Any

from trivium.architecture import Architecture
from trivium.plan.inference import BLOCK, Request, weight_bytes
from trivium.plan.memory import training_memory
from trivium.plan.serving import BYTES, WEIGHTS_FACTOR
from trivium.plan.sharding import RECIPES, ShardedMemory, sharded_memory
from trivium.plan.workload import Workload

#: Bytes a parameter to train, of which these for activations and whatever else comes and goes.
_TRAIN, _TRAIN_ACTIVATIONS = 24, 8
#: Where a rule is called right.
_CLOSE = 0.1


@dataclass(frozen=True)
class RuleOfThumb:
    """What a rule says, what is computed, and in plain words why they differ."""

    name: str
    rule: str
    bytes: int
    computed_bytes: int
    remark: str

    @property
    def ratio(self) -> float:
        """The rule's over what is computed: below 1 it promises too much."""
        return self.bytes / self.computed_bytes

    def __str__(self) -> str:
        return f"{self.name} ({self.rule}): {_size(self.bytes)}, computed {_size(self.computed_bytes)}. {self.remark}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {**asdict(self), "ratio": self.ratio}


def rules_for_holding(architecture: Architecture) -> tuple[RuleOfThumb, ...]:
    """The weights alone, in each format."""
    exact = "Right: weights are all there is to hold."
    quantised = (
        f"The rule leaves out the scales (2 bytes for every {BLOCK} weights) and what stays in 16 bits: tables, heads, "
        "norms, biases."
    )
    return tuple(
        RuleOfThumb(
            name=f"hold in {name}",
            rule=f"{size:g} bytes a parameter" if size != 1 else "1 byte a parameter",
            bytes=round(size * architecture.parameters),
            computed_bytes=weight_bytes(architecture, name),
            remark=exact if size >= 2 else quantised,
        )
        for name, size in BYTES.items()
    )


def rules_for_inference(request: Request) -> tuple[RuleOfThumb, ...]:
    """Answering requests: the weights and a fifth more."""
    memory = request.memory
    beside = memory.total - memory.weights
    allowed = (WEIGHTS_FACTOR - 1) * memory.weights
    what = " and ".join(name for name in ("cache", "temporaries") if name in memory.items) or "temporaries"
    words = {"cache": "keys and values", "temporaries": "passing tensors", "cache and temporaries": "keys and values"}
    found = f"{_size(beside)} beside the weights, {words[what]} above all, where the rule allows {_size(allowed)}"
    if _near(beside + memory.weights, WEIGHTS_FACTOR * memory.weights):
        remark = f"Right here: {found}. It grows with rows and tokens, and the rule does not."
    elif beside > allowed:
        remark = f"Too little: {found}. It grows with rows and tokens, and the rule does not."
    else:
        remark = f"Too much: {found}; with more rows or tokens it would be more."
    return (
        RuleOfThumb(
            name="answer",
            rule=f"{WEIGHTS_FACTOR} times the weights",
            bytes=round(WEIGHTS_FACTOR * memory.weights),
            computed_bytes=memory.total,
            remark=remark,
        ),
    )


def rules_for_training(workload: Workload) -> tuple[RuleOfThumb, ...]:
    """A step of training: 24 bytes a parameter, and what well-known estimators say of weights, gradients and states."""
    memory, parameters = sharded_memory(workload), workload.architecture.parameters
    rule = f"{_TRAIN} bytes a parameter"
    found = [RuleOfThumb("train", rule, _TRAIN * parameters, memory.total, _training_remark(workload, memory))]
    if workload.ranks == 1:
        whole = training_memory(workload)
        states = whole.weights + whole.gradients + whole.optimizer
        half = workload.precision != "float32"
        remark = "Compared with weights, gradients and states, for it knows no activations."
        if half:
            remark += " It takes the weights for 16-bit numbers, and forgets that AdamW works on 32-bit ones."
        rule = f"{8 if half else 16} bytes a parameter in {'16 bits' if half else 'float32'}"
        found.append(RuleOfThumb("accelerate's estimate", rule, (8 if half else 16) * parameters, states, remark))
    elif workload.sharding in ("gradients", "weights"):
        remark = (
            "Compared with weights, gradients and states, for it knows no activations. It takes 16-bit weights with a "
            f"float32 copy and float32 gradients: {RECIPES['mixed-16-gradients-32'].total} bytes a parameter."
        )
        states = memory.total - memory.activations
        found.append(RuleOfThumb("DeepSpeed's estimate", *_deepspeed(workload), states, remark))
    return tuple(found)


def _training_remark(workload: Workload, memory: ShardedMemory) -> str:
    parameters = workload.architecture.parameters
    allowed = _TRAIN_ACTIVATIONS * parameters
    states = memory.total - memory.activations
    parts = []
    if workload.lora is not None:
        parts.append("it knows no low-rank updates, which need neither gradients nor means for the model's own weights")
    elif workload.ranks > 1 and workload.sharding != "none":
        parts.append(f"it knows no sharding: over {workload.ranks} devices each holds {_size(states)} of states")
    elif workload.optimizer != "adamw":
        parts.append(f"it knows AdamW, and {workload.optimizer} keeps less")
    if not _near(memory.activations, allowed):
        rows = "1 row" if workload.rows == 1 else f"{workload.rows:,} rows"
        verb = "misses" if memory.activations > allowed else "overstates"
        parts.append(
            f"it {verb} activations: {_size(memory.activations)} at the peak with {rows} of {workload.inputs:,} "
            f"tokens, where it allows {_size(allowed)} whatever the batch"
        )
    if not parts:
        return "Right here, by luck: activations take 8 bytes a parameter in this batch, and less or more in another."
    return (parts[0][0].upper() + parts[0][1:]) + "".join(f"; {part}" for part in parts[1:]) + "."


def _deepspeed(workload: Workload) -> tuple[str, int]:
    """Its rule without offloading, of ZeRO-3 or ZeRO-2, in words and bytes. A layer is one matrix there, or table."""
    architecture, shared = workload.architecture, 18 * workload.architecture.parameters / workload.ranks
    if workload.sharding == "gradients":
        rule = "2 bytes a parameter, and 18 over the devices"
        return rule, round(2 * architecture.parameters + shared)
    widths = [
        max(layer.mlp.hidden, layer.attention.query_dim) for stack in architecture.stacks for layer in stack.pattern
    ]
    rule = "18 bytes a parameter over the devices, and 4 for each of the largest matrix"
    return rule, round(shared) + 4 * architecture.dim * max(architecture.vocab, *widths)


def _near(first: float | int, second: float | int) -> bool:
    return abs(first - second) <= _CLOSE * max(first, second)


def _size(size: float | int) -> str:
    return f"{size / 1e9:,.3g} GB" if size >= 1e8 else f"{size / 1e6:,.3g} MB"
