"""The learning rate against closed forms and against transformers' own schedules."""

import math
from itertools import pairwise

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from trivium.train.schedule import learning_rate_multiplier
from trivium.train.settings import TrainSettings

STEPS, WARMUP = 50, 10


def multipliers(**changes: object) -> list[float]:
    settings = TrainSettings(**{"steps": STEPS, "warmup_steps": WARMUP, "floor": 0.0, **changes})
    return [learning_rate_multiplier(step, settings) for step in range(settings.steps)]


def theirs(make: object, *arguments: object, **named: object) -> list[float]:
    """transformers' multiplier at each step. It counts the warm-up from 0, ours from 1: ours has no step at zero."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = make(optimizer, *arguments, **named)
    return [schedule.lr_lambdas[0](step) for step in range(STEPS)]


@pytest.mark.parametrize(
    ("schedule", "make"),
    [
        ("cosine", transformers.get_cosine_schedule_with_warmup),
        ("linear", transformers.get_linear_schedule_with_warmup),
    ],
)
def test_way_down_equals_transformers(schedule: str, make: object) -> None:
    assert multipliers(schedule=schedule)[WARMUP:] == pytest.approx(theirs(make, WARMUP, STEPS)[WARMUP:])


def test_cosine_with_a_floor_equals_transformers() -> None:
    expected = theirs(transformers.get_cosine_with_min_lr_schedule_with_warmup, WARMUP, STEPS, min_lr_rate=0.1)
    assert multipliers(schedule="cosine", floor=0.1)[WARMUP:] == pytest.approx(expected[WARMUP:])


def test_wsd_equals_transformers() -> None:
    expected = theirs(
        transformers.get_wsd_schedule, WARMUP, num_decay_steps=10, num_training_steps=STEPS, decay_type="linear"
    )
    assert multipliers(schedule="wsd", decay_fraction=0.2)[WARMUP:] == pytest.approx(expected[WARMUP:])


def test_warm_up_rises_in_a_straight_line_to_one() -> None:
    assert multipliers()[:WARMUP] == pytest.approx([(step + 1) / WARMUP for step in range(WARMUP)])
    assert multipliers(warmup_steps=0, schedule="constant") == [1.0] * STEPS


def test_closed_forms() -> None:
    assert multipliers(floor=0.2)[30] == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi / 2)) / 2)
    assert multipliers(floor=0.2, schedule="linear")[30] == pytest.approx(0.6)
    assert multipliers(floor=0.2, schedule="wsd", decay_fraction=0.4)[29:32] == pytest.approx([1, 1, 0.96])


@given(
    schedule=st.sampled_from(["cosine", "linear", "wsd", "constant"]),
    steps=st.integers(1, 300),
    warmup=st.floats(0, 0.5),
    floor=st.floats(0, 1),
    decay=st.floats(0, 0.49),
)
def test_between_the_floor_and_one_and_never_up_again(
    schedule: str, steps: int, warmup: float, floor: float, decay: float
) -> None:
    settings = TrainSettings(steps=steps, schedule=schedule, warmup_fraction=warmup, floor=floor, decay_fraction=decay)
    found = [learning_rate_multiplier(step, settings) for step in range(steps)]
    down = found[settings.warmup :]
    assert all(0 < value <= 1 or floor == 0 for value in found)
    assert all(value >= floor - 1e-12 for value in down)
    assert all(after <= before + 1e-12 for before, after in pairwise(down))
