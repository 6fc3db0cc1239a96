"""Weights, gradients and optimizer states: bytes a parameter by recipe, and over data-parallel devices. No torch.

P: parameters    N: devices    K: bytes a parameter of optimizer states (with ZeRO's recipe 12)

    none         (2 + 2 + K) P                 every device holds everything
    optimizer    (2 + 2) P + K P / N           ZeRO-1
    gradients    2 P + (2 + K) P / N           ZeRO-2
    weights      (2 + 2 + K) P / N             ZeRO-3, FSDP; and the layer at work, gathered

Rajbhandari et al. 2020, figure 1, with its 2 + 2 bytes for 16-bit weights and gradients; here each recipe has its own.
Data parallelism leaves activations as they are: each device has its own rows.
"""

__all__ = ["RECIPES", "Recipe", "ShardedMemory", "StateBytes", "gathered_bytes", "sharded_memory", "state_bytes"]

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from trivium.architecture import Architecture
from trivium.errors import UsageError, nearest
from trivium.plan.memory import TrainingMemory, training_memory
from trivium.plan.workload import Sharding, Workload


@dataclass(frozen=True)
class Recipe:
    """Bytes a parameter of a way to train. `transient` come and go within a step; `source` says who has it so."""

    name: str
    title: str
    weights: float | int
    gradients: float | int
    optimizer: float | int
    source: str
    transient: float | int = 0

    @property
    def total(self) -> float | int:
        """Bytes a parameter that stay for the whole of training."""
        return self.weights + self.gradients + self.optimizer

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the total."""
        return {**asdict(self), "total": self.total}


_ZERO = "Rajbhandari et al. 2020, section 3.1"
#: The scales of 8-bit states: two states, a float32 for each block of 256.
_SCALES = 2 * 4 / 256

#: Ways to train by name. Trivium's own are `float32` and `autocast`; the others are there to compare with.
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("float32", "AdamW in float32", 4, 4, 8, "Loshchilov & Hutter 2019: two means a weight"),
        Recipe(
            "autocast", "AdamW with torch.autocast", 4, 4, 8, "PyTorch: float32 is kept, 16-bit copies come and go", 2
        ),
        Recipe("mixed-16", "AdamW, 16-bit weights, float32 copy", 2, 2, 12, _ZERO),
        Recipe(
            "mixed-16-gradients-32",
            "the same with gradients summed in float32",
            2,
            4,
            12,
            "EleutherAI, Transformer Math 101; DeepSpeed's estimators since 2024",
        ),
        Recipe("bfloat16", "AdamW, all in bfloat16", 2, 2, 4, "weights, gradients and both means in 16 bits"),
        Recipe(
            "adam-8bit",
            "AdamW with 8-bit states",
            4,
            4,
            2 + _SCALES,
            "Dettmers et al. 2022; tensors below 4,096 numbers stay in 32 bits",
        ),
        Recipe("sgd-momentum", "SGD with momentum", 4, 4, 4, "one running mean a weight"),
        Recipe("adafactor", "Adafactor without momentum", 4, 4, 0, "Shazeer & Stern 2018: a row and a column a matrix"),
    )
}


@dataclass(frozen=True)
class StateBytes:
    """What each device holds all the time, and at most while a layer is at work (`gathered`)."""

    weights: int
    gradients: int
    optimizer: int
    gathered: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.gathered

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the total."""
        return {**asdict(self), "total": self.total}


def state_bytes(
    of: Architecture | int, recipe: str = "mixed-16", ranks: int = 1, sharding: Sharding = "none"
) -> StateBytes:
    """Model states of an architecture, or of so many parameters, on each of `ranks` devices.

    What is gathered is known for an architecture only. Raises `UsageError` for an unknown recipe and no device.
    """
    if recipe not in RECIPES:
        raise UsageError(f"There is no recipe '{recipe}'.{nearest(recipe, RECIPES)} There are: {', '.join(RECIPES)}.")
    if ranks < 1:
        raise UsageError(f"States are held by 1 device at least, got {ranks}.")
    chosen, parameters = RECIPES[recipe], of if isinstance(of, int) else of.parameters
    weights, gradients, optimizer = _shares(ranks, sharding)
    gathered = 0
    if isinstance(of, Architecture) and ranks > 1:
        size = chosen.transient or chosen.weights
        gathered = gathered_bytes(of, size, chosen.gradients, sharding)
    return StateBytes(
        weights=round(chosen.weights * parameters * weights),
        gradients=round(chosen.gradients * parameters * gradients),
        optimizer=round(chosen.optimizer * parameters * optimizer),
        gathered=gathered,
    )


def gathered_bytes(
    architecture: Architecture, weight: float | int, gradient: float | int, sharding: Sharding = "weights"
) -> int:
    """What is whole for a moment on a device that holds a share, by bytes a weight and bytes a gradient.

    ZeRO-3 and FSDP gather a layer before its products, and already the next one; what is in no layer (tables, head)
    stays gathered from the first product to the last. A gradient is whole until it is summed over the devices (Zhao et
    al. 2023, sections 3.2 and 3.3.2).
    """
    if sharding in ("none", "optimizer"):
        return 0
    layers = [layer.parameters(architecture.dim) for stack in architecture.stacks for layer in stack.layers]
    largest, rest = max(layers), architecture.parameters - sum(layers)
    whole = rest + min(2 * largest, sum(layers)) if sharding == "weights" else 0
    return round(weight * whole + gradient * max(largest, rest))


@dataclass(frozen=True)
class ShardedMemory:
    """A training step on one of several devices: bytes at the peak."""

    weights: int
    gradients: int
    optimizer: int
    gathered: int
    activations: int

    @property
    def total(self) -> int:
        """The peak."""
        return sum(self.items.values())

    @property
    def items(self) -> dict[str, int]:
        """What stands in memory at the peak, by name."""
        return {name: size for name, size in asdict(self).items() if size}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the total."""
        return {**asdict(self), "total": self.total}


def sharded_memory(workload: Workload) -> ShardedMemory:
    """The memory of a step on each of the workload's devices, from that of a device that would hold everything.

    With gradients cut as well, all of a device's share is counted beside the activations at the loss: they are never
    all there together, so this is an upper bound, by less than the share.
    """
    memory = _whole(replace(workload, ranks=1, sharding="none"))
    if workload.ranks == 1 or workload.sharding in ("none", "optimizer"):
        optimizer = round(memory.optimizer * _shares(workload.ranks, workload.sharding)[2])
        return ShardedMemory(memory.weights, memory.gradients_at_peak, optimizer, 0, memory.activation_bytes)
    weights, gradients, optimizer_share = _shares(workload.ranks, workload.sharding)
    # Where weights are cut, their 16-bit copies are those of the layers that are gathered.
    copies = memory.at_loss.get("copies of weights", 0) if workload.sharding == "weights" else 0
    trained = memory.gradients / (4 * workload.architecture.parameters)  # below 1 with LoRA
    size = 2 if workload.precision == "bfloat16" else 4
    gathered = gathered_bytes(workload.architecture, size, 4 * min(1.0, trained), workload.sharding)
    return ShardedMemory(
        weights=round(memory.weights * weights),
        gradients=round(memory.gradients * gradients),
        optimizer=round(memory.optimizer * optimizer_share),
        gathered=gathered,
        activations=sum(memory.at_loss.values()) - copies,
    )


@lru_cache(maxsize=128)
def _whole(workload: Workload) -> TrainingMemory:
    """On a device that holds everything: the same for any number of them."""
    return training_memory(workload)


def _shares(ranks: int, sharding: Sharding) -> tuple[float, float, float]:
    """Of weights, gradients and optimizer states that one device holds."""
    cut = 1 / ranks
    match sharding:
        case "none":
            return 1.0, 1.0, 1.0
        case "optimizer":
            return 1.0, 1.0, cut
        case "gradients":
            return 1.0, cut, cut
        case "weights":
            return cut, cut, cut
