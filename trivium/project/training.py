"""Train one model of the plan in its run folder, or go on there, or read what was done."""

__all__ = ["train_one"]

from pathlib import Path

import torch
from rich.console import Console
from torch import nn

from trivium.model import Transformer
from trivium.plan.shapes import shape
from trivium.project.estimate import Estimate
from trivium.project.prepare import Material
from trivium.project.schema import Project
from trivium.train.loss import head_loss
from trivium.train.run import run_training
from trivium.train.state import TrainResult
from trivium.train.stop import Stop
from trivium.train.validation import Validation, validate

#: Held-out rows of a validation inside the run; the score at the end is on more.
_VALIDATION_ROWS = 32


def train_one(
    project: Project,
    material: Material,
    estimate: Estimate,
    folder: Path,
    device: torch.device,
    console: Console | None = None,
    stop: Stop | None = None,
) -> TrainResult:
    """Train in `folder` to the last step of the plan, unless a signal or `stop` ends it before."""
    quote, settings = estimate.quote, estimate.settings
    architecture = shape(material.family, quote.dim, material.tokenizer.vocabulary, material.length)
    loader = material.loader(settings.seed)
    micro_rows = quote.rows // settings.accumulation
    token_bytes = torch.from_numpy(material.tokenizer.token_bytes)

    def held_out(model: nn.Module) -> Validation:
        return validate(
            model, material.held_out_batches(settings.seed, _VALIDATION_ROWS, micro_rows), head_loss, token_bytes
        )

    def save(into: Path, model: nn.Module) -> None:
        assert isinstance(model, Transformer)
        material.save(into, model)

    return run_training(
        folder,
        lambda: Transformer(architecture).to(device),
        lambda step: loader.micro_batches(step, quote.rows, micro_rows),
        settings,
        save,
        validate=held_out,
        identity={"architecture": architecture.to_dict(), "data": material.fingerprint},
        flops_per_token=estimate.flops_per_token,
        console=console,
        title=f"{quote.name} ({quote.kind}, {quote.parameters:,} parameters)",
        stop=stop,
    )
