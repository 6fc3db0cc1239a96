"""The memory of a run's own steps: which are counted, what is kept, and that the parts are what they are called."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.train.tiny import KINDS, batch, build
from trivium.train.loop import train
from trivium.train.loss import head_loss
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult
from trivium.train.step_memory import StepMemory, tracked_steps


@given(first=st.integers(0, 200), more=st.integers(1, 200))
def test_a_process_counts_a_few_steps_and_never_a_first_one_that_it_can_avoid(first: int, more: int) -> None:
    steps = first + more
    chosen = tracked_steps(first, steps)
    assert len(chosen) <= 8
    assert max(1, first) in chosen or steps == 1
    assert all(step < steps for step in chosen)
    if steps > 1:
        assert 0 not in chosen


def trained(kind: str, optimizer: str, steps: int = 3, **changes: object) -> tuple[torch.nn.Module, TrainResult]:
    model = build(kind)
    settings = TrainSettings(**{"steps": steps, "precision": "float32", "optimizer": optimizer, **changes})
    return model, train(model, lambda step: [batch(kind, step)], head_loss, settings, precision=Precision("float32"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_weights_and_optimizer_states_are_counted_to_the_byte(kind: str, optimizer: str) -> None:
    model, result = trained(kind, optimizer)
    assert result.memory is not None
    weights = sum(4 * p.numel() for p in model.parameters()) + sum(b.nbytes for b in model.buffers())
    assert result.memory.weights == weights
    states = result.memory.optimizer / (4 * result.parameters)
    assert states == pytest.approx(2, rel=0.01) if optimizer == "adamw" else 1 < states < 2
    assert result.memory.gradients <= 4 * result.parameters
    assert result.memory.rest > 0
    assert result.tensor_peak_bytes == result.memory.total


def test_counting_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step counted, or none: the same weights and the same loss."""
    monkeypatch.setattr("trivium.train.loop.tracked_steps", lambda first, steps: frozenset(range(steps)))
    every, result = trained("decoder", "adamw")
    monkeypatch.setattr("trivium.train.loop.tracked_steps", lambda first, steps: frozenset())
    none, without = trained("decoder", "adamw")
    assert without.memory is None
    assert result.memory is not None
    assert result.loss == without.loss
    assert all(torch.equal(a, b) for a, b in zip(every.parameters(), none.parameters(), strict=True))


def test_recomputing_makes_the_rest_smaller() -> None:
    plain, small = (trained("decoder", "adamw", activation_checkpointing=on)[1].memory for on in (False, True))
    assert small.rest < plain.rest
    assert small.weights == plain.weights


def test_the_larger_is_kept_and_goes_through_a_file() -> None:
    small, large = StepMemory(10, 10, 20, 5), StepMemory(10, 10, 20, 7)
    assert small.larger(large) == large == large.larger(small) == large.larger(None)
    assert StepMemory.from_dict(json.loads(json.dumps(large.to_dict()))) == large
    assert large.to_dict()["total"] == 47
