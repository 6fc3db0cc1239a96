"""A whole small run, for tests that end its process: `python -m tests.train.run_once FOLDER KIND OPTIMIZER STEPS`."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from tests.train.tiny import VOCAB, batch, build, micro_batches
from trivium.train.loss import head_loss
from trivium.train.run import run_training
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult
from trivium.train.stop import Stop
from trivium.train.validation import validate
from trivium.weights.folder import save_folder


def run_once(
    folder: Path, kind: str, optimizer: str, steps: int = 12, at_step: Callable[[int, Stop], None] | None = None
) -> TrainResult:
    """With dropout, two micro-batches a step, validation and a checkpoint every third step."""
    stop = Stop()

    def batches(step: int):
        if at_step:
            at_step(step, stop)
        return micro_batches(batch(kind, step), 2)

    return run_training(
        folder,
        lambda: build(kind),
        batches,
        TrainSettings(
            steps=steps,
            accumulation=2,
            batch_rows=4,
            optimizer=optimizer,
            learning_rate=1e-2,
            precision="float32",
            validate_every=4,
            checkpoint_every=3,
        ),
        lambda place, model: save_folder(place, model),
        validate=lambda model: validate(model, [batch(kind, 1000)], head_loss, torch.full((VOCAB,), 3)),
        identity={"architecture": kind},
        stop=stop,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    result = run_once(Path(sys.argv[1]), sys.argv[2], sys.argv[3], steps=int(sys.argv[4]))
    sys.exit(signal.Signals[result.stopped_by] if result.stopped_by else 0)
