"""A timed step is a real one, with the making of its batch."""

import time

import pytest
import torch
from torch import nn

from tests.train.tiny import ARCHITECTURES, KINDS, batch
from trivium.objectives.batch import Batch
from trivium.plan.calibration import StepTime, time_step
from trivium.train.optimizer import Optimizer
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings

CPU, FULL = torch.device("cpu"), Precision("float32")


def timed(kind: str, batch_of, seconds: float = 0.0, steps: int = 2, **more) -> StepTime:
    settings = TrainSettings(steps=steps)
    return time_step(ARCHITECTURES[kind], lambda step: [batch_of(step)], settings, FULL, CPU, seconds, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_asked_for_in_order_and_counted(kind: str) -> None:
    """Three steps at least, also of a run that has two."""
    asked: list[int] = []

    def batch_of(step: int) -> Batch:
        asked.append(step)
        return batch(kind, step)

    found = timed(kind, batch_of)
    assert asked == [0, 1, 2]
    assert found.tokens == batch(kind, 0).tokens
    assert found.tokens_per_second == found.tokens / found.seconds


def test_the_making_of_a_batch_is_in_the_time_and_the_first_step_is_not() -> None:
    def batch_of(step: int) -> Batch:
        time.sleep(1.5 if step == 0 else 0.05)
        return batch("decoder", step)

    assert 0.05 < timed("decoder", batch_of).seconds < 0.45


def test_steps_are_taken_until_the_time_is_up() -> None:
    asked: list[int] = []

    def batch_of(step: int) -> Batch:
        asked.append(step)
        return batch("decoder", step)

    start = time.perf_counter()
    timed("decoder", batch_of, seconds=0.3, steps=1000)
    assert time.perf_counter() - start >= 0.3
    assert len(asked) > 3


def test_the_model_that_is_timed_leaves_the_callers_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    timed("decoder", lambda step: batch("decoder", step))
    assert torch.equal(torch.rand(3), expected)


def test_a_validation_and_a_checkpoint_are_timed_once_each() -> None:
    def validate(model: nn.Module) -> None:
        called.append("validate")
        time.sleep(0.05)

    def save(model: nn.Module, optimizer: Optimizer) -> None:
        called.append("save")
        assert optimizer.state_dict(), "with the states of a step"
        time.sleep(0.1)

    called: list[str] = []
    found = timed("decoder", lambda step: batch("decoder", step), validate=validate, save=save)
    assert called == ["validate", "save"]
    assert 0.05 <= found.validation_seconds < 1
    assert 0.1 <= found.checkpoint_seconds < 1
    assert timed("decoder", lambda step: batch("decoder", step)).checkpoint_seconds < 0.05


def test_recomputing_is_timed_as_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[nn.Module] = []
    monkeypatch.setattr("trivium.plan.calibration.recompute_blocks", asked.append)
    settings = TrainSettings(steps=2, activation_checkpointing=True)
    time_step(ARCHITECTURES["decoder"], lambda step: [batch("decoder", step)], settings, FULL, CPU, 0.0)
    assert len(asked) == 1
