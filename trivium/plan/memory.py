"""The memory of a training step, simulated: the real model runs on tensors that have shapes and no content.

weights + gradients + optimizer states     4 + 4 + 8 bytes a parameter for AdamW in float32
activations                                what the backward pass needs, counted where autograd saves it
"""

__all__ = ["TrainingMemory", "training_memory"]

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from trivium.architecture import Architecture
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.train.loss import cross_entropy_in_place


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes, by what they are for. The process's own (Python, torch, the data) is not in it."""

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of them: they are all there at the end of a forward pass of the second step and later."""
        return self.weights + self.gradients + self.optimizer + self.activations

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report, with the total."""
        return {**asdict(self), "total": self.total}


def training_memory(architecture: Architecture, batch: Batch, states_per_parameter: int = 2) -> TrainingMemory:
    """Simulate a forward pass over one micro-batch in float32 and count what stays for the backward pass.

    `states_per_parameter`: numbers that the optimizer keeps for each (AdamW 2).
    """
    targets = batch.target_tokens
    with FakeTensorMode(allow_non_fake_inputs=True):
        model = Transformer(architecture)
        own = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
        saved: dict[int, int] = {}
        kept: list[Tensor] = []  # so that no storage's number is given to another

        def count(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                saved[storage._cdata] = storage.nbytes()
                kept.append(tensor)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            _loss(model, batch, targets)
        weights = 4 * architecture.parameters
        return TrainingMemory(weights, weights, states_per_parameter * weights, sum(saved.values()))


def _loss(model: Transformer, batch: Batch, targets: int) -> Tensor:
    # As `head_loss` does, but the rows that have a target are counted beforehand: here nothing has content.
    assert model.head is not None
    hidden = model.hidden(
        batch.input_ids,
        batch.documents,
        batch.decoder_input_ids,
        batch.decoder_documents,
        batch.segments,
        batch.prefix,
    )
    rows = hidden.flatten(0, 1)
    if targets < len(rows):
        rows = rows.index_select(0, torch.zeros(targets, dtype=torch.long))
    return cross_entropy_in_place(model.head(rows), torch.zeros(targets, dtype=torch.long))
