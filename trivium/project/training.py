"""Train one model of the plan in its run folder, or go on there, or read what was done."""

__all__ = ["train_one"]

from pathlib import Path

import torch
from rich.console import Console
from torch import nn

from trivium.model import Transformer
from trivium.plan.quote import Quote
from trivium.plan.shapes import shape
from trivium.project.estimate import Estimate
from trivium.project.prepare import Material
from trivium.project.schema import Project
from trivium.project.validation import validation_of
from trivium.train.run import first_quote, run_training
from trivium.train.state import TrainResult
from trivium.train.stop import Stop


def train_one(
    project: Project,
    material: Material,
    estimate: Estimate,
    folder: Path,
    device: torch.device,
    console: Console | None = None,
    stop: Stop | None = None,
) -> TrainResult:
    """Train in `folder` to the last step of the plan, unless a signal or `stop` ends it before.

    A run that was begun before is compared with the quote that it was begun with.
    """
    quote, settings = estimate.quote, estimate.settings
    architecture = shape(material.family, quote.dim, material.tokenizer.vocabulary, material.length)
    loader = material.loader(settings.seed)
    micro_rows = quote.rows // settings.accumulation
    first = first_quote(folder)
    expectation = quote if first is None else Quote.from_dict(first)

    def save(into: Path, model: nn.Module) -> None:
        assert isinstance(model, Transformer)
        material.save(into, model)

    return run_training(
        folder,
        lambda: Transformer(architecture).to(device),
        lambda step: loader.micro_batches(step, quote.rows, micro_rows),
        settings,
        save,
        validate=validation_of(material, settings, micro_rows),
        identity={"architecture": architecture.to_dict(), "data": material.fingerprint},
        flops_per_token=estimate.flops_per_token,
        console=console,
        title=f"{quote.name} ({quote.kind}, {quote.parameters:,} parameters)",
        stop=stop,
        expectation=expectation,
    )
