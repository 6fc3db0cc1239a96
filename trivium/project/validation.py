"""The validation inside a run: the same held-out rows each time, with the same masks."""

__all__ = ["VALIDATION_ROWS", "validation_of"]

from collections.abc import Callable

import torch
from torch import nn

from trivium.project.prepare import Material
from trivium.train.loss import head_loss
from trivium.train.settings import TrainSettings
from trivium.train.validation import Validation, validate

#: Held-out rows of each source; the score at the end is on more.
VALIDATION_ROWS = 32


def validation_of(material: Material, settings: TrainSettings, micro_rows: int) -> Callable[[nn.Module], Validation]:
    """A function that validates a model on `material`'s held-out text, `micro_rows` at once."""
    token_bytes = torch.from_numpy(material.tokenizer.token_bytes)

    def held_out(model: nn.Module) -> Validation:
        batches = material.held_out_batches(settings.seed, VALIDATION_ROWS, micro_rows)
        return validate(model, batches, head_loss, token_bytes)

    return held_out
