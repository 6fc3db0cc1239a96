"""A step of training on one device, described: what memory, operations and time are computed from. No torch.

B: rows of a micro-batch    T: tokens that a row reads    U: tokens of a decoder beside an encoder    N: targets
"""

__all__ = ["OptimizerName", "PrecisionName", "Sharding", "Workload"]

from dataclasses import dataclass, replace
from typing import Literal

from trivium.adapt.lora import Lora
from trivium.adapt.targets import in_our_names
from trivium.architecture import Architecture
from trivium.errors import UsageError

OptimizerName = Literal["adamw", "muon"]
PrecisionName = Literal["float32", "bfloat16"]

#: What is cut over the data-parallel ranks: nothing, optimizer states (ZeRO-1), gradients too (2), weights too (3).
Sharding = Literal["none", "optimizer", "gradients", "weights"]


@dataclass(frozen=True)
class Workload:
    """What one device does in one step.

    `rows` are those of a micro-batch, of which a step takes `accumulation`. `outputs` is for encoder-decoders alone.
    `targets` are the positions of a micro-batch at which the vocabulary head runs, all rows together. `masked` says
    whether rows are padded or hold several documents, so that attention is given a matrix of who sees whom.
    `precision` is that of the matrix products; weights, gradients and optimizer states are float32.
    """

    architecture: Architecture
    rows: int
    inputs: int
    outputs: int | None = None
    targets: int | None = None
    masked: bool = False
    precision: PrecisionName = "float32"
    optimizer: OptimizerName = "adamw"
    activation_checkpointing: bool = False
    accumulation: int = 1
    lora: Lora | None = None
    ranks: int = 1
    sharding: Sharding = "none"

    def __post_init__(self) -> None:
        for what in ("rows", "inputs", "accumulation", "ranks"):
            if getattr(self, what) < 1:
                raise UsageError(f"A step needs {what} of at least 1, got {getattr(self, what)}.")
        pair = self.architecture.kind == "encoder-decoder"
        if self.outputs is not None and not pair:
            raise UsageError(f"Only an encoder-decoder has outputs; this {self.architecture.kind} reads inputs alone.")
        if self.lora is not None:  # published names of targets are those of this architecture
            object.__setattr__(self, "lora", in_our_names(self.lora, self.architecture))

    @property
    def written(self) -> int:
        """Tokens of a row that the head may speak at."""
        if self.architecture.kind == "encoder-decoder":
            return self.inputs if self.outputs is None else self.outputs
        return self.inputs

    @property
    def head_positions(self) -> int:
        """Positions of a micro-batch at which the head runs: `targets`, or all."""
        return self.rows * self.written if self.targets is None else self.targets

    @property
    def tokens(self) -> int:
        """Tokens of a whole step on this device, as a run counts them: read and written."""
        pair = self.architecture.kind == "encoder-decoder"
        return self.accumulation * self.rows * (self.inputs + (self.written if pair else 0))

    @property
    def flops(self) -> float:
        """Operations of the forward and backward pass of a whole step on this device, exact for full training."""
        architecture = self.architecture
        body = self.rows * architecture.flops(self.inputs, self.outputs, 0)
        head = (
            0
            if architecture.head is None
            else architecture.head.flops(architecture.dim, architecture.vocab, self.head_positions)
        )
        return 3.0 * self.accumulation * (body + head)

    def with_rows(self, rows: int) -> "Workload":
        """The same with another number of rows; targets grow with them."""
        targets = None if self.targets is None else max(1, round(self.targets * rows / self.rows))
        return replace(self, rows=rows, targets=targets)
