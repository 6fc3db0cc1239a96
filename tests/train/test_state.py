"""The loop's state and the result: there and back through plain data."""

import json
from dataclasses import replace

import pytest

from trivium.train.settings import TrainSettings
from trivium.train.state import TrainResult, TrainState
from trivium.train.step_memory import StepMemory
from trivium.train.validation import Validation


def test_state_there_and_back() -> None:
    state = TrainState().after(3.0, 100, 40, 0.5, 2.0).with_validation(Validation(2.5, 10, 33))
    assert TrainState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    assert TrainState.from_dict(json.loads(json.dumps(TrainState().to_dict()))) == TrainState()


def test_state_adds_up() -> None:
    state = TrainState().after(3.0, 100, 40, 0.5, 2.0).after(2.0, 50, 20, 0.25, 2.0)
    assert (state.step, state.tokens, state.targets, state.seconds, state.loss) == (2, 150, 60, 0.75, 2.0)


def test_the_best_validation_is_kept() -> None:
    state = TrainState(step=1).with_validation(Validation(2.0, 1)).after(1.0, 1, 1, 1.0, None)
    assert state.validation_loss_here is None
    worse = state.with_validation(Validation(3.0, 1))
    assert worse.best_validation_loss == 2.0
    assert worse.validation_loss_here == 3.0


def test_validations_since_the_best_are_counted_and_end_a_run() -> None:
    settings = TrainSettings(steps=9, validate_every=1, patience=2)
    state = TrainState(step=1).with_validation(Validation(2.0, 1))
    once = replace(state, step=2).with_validation(Validation(2.0, 1))
    twice = replace(once, step=3).with_validation(Validation(2.5, 1))
    better = replace(once, step=3).with_validation(Validation(1.5, 1))
    assert [one.validations_since_best for one in (state, once, twice, better)] == [0, 1, 2, 0]
    assert [one.best_step for one in (state, once, twice, better)] == [1, 1, 1, 3]
    assert [one.ended(settings) for one in (state, once, twice, better)] == [False, False, True, False]
    assert not twice.ended(TrainSettings(steps=9))
    assert replace(state, step=9).ended(TrainSettings(steps=9))


def test_a_state_and_a_result_of_an_older_version_still_read() -> None:
    state = TrainState().after(3.0, 100, 40, 0.5, 2.0)
    values = state.to_dict()
    for name in ("between_seconds", "memory", "peak_memory_bytes", "best_step", "validations_since_best"):
        del values[name]
    assert TrainState.from_dict(values) == state
    result = TrainResult.of(state, None, 6e6).to_dict()
    for name in ("parameters", "memory", "median_step_seconds", "between_seconds", "tensor_peak_bytes", "kept_step"):
        del result[name]
    assert TrainResult.from_dict(result) == replace(TrainResult.of(state, None, 6e6), kept_step=None)


def test_the_largest_memory_is_kept() -> None:
    small, large = StepMemory(4, 4, 8, 2), StepMemory(4, 4, 8, 3)
    state = TrainState().with_memory(large).with_memory(small).with_peak(7).with_peak(5)
    assert state.memory == large
    assert state.peak_memory_bytes == 7
    assert TrainState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    result = TrainResult.of(state.after_a_pause(0.25).after(1.0, 1, 1, 0.5, None), None, None)
    assert (result.tensor_peak_bytes, result.peak_memory_bytes, result.whole_seconds) == (19, 7, 0.75)


def test_result() -> None:
    state = TrainState().after(3.0, 100, 40, 0.5, 2.0).with_validation(Validation(2.5, 10, 33))
    result = TrainResult.of(state.with_peak(10**9), None, 6e6)
    assert result.finished
    assert result.tokens_per_second == pytest.approx(200)
    assert result.flops_per_second == pytest.approx(1.2e9)
    assert TrainResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result
    stopped = TrainResult.of(TrainState(), "SIGINT", None)
    assert not stopped.finished
    assert stopped.tokens_per_second == 0
    assert TrainResult.from_dict(json.loads(json.dumps(stopped.to_dict()))) == stopped
