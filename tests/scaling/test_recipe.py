"""Batch and learning rate against GPT-3's table 2.1 and the other published runs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.scaling.laws import DEFAULT_LAW
from trivium.scaling.recipe import GPT3_TABLE, batch_rows, learning_rate, recipe
from trivium.train.settings import parse_settings


def test_gpt3s_batches_within_their_factor() -> None:
    """Table 2.1: each within 2.1 of a quarter of the critical batch at the loss after 300B tokens."""
    for parameters, batch, _ in GPT3_TABLE:
        loss = DEFAULT_LAW.loss(parameters, 300e9)
        assert loss is not None
        found = recipe(parameters, 300e9, loss, 2048).batch_tokens
        assert 1 / 2.1 < found / batch < 2.1


def test_chinchillas_batch() -> None:
    """Hoffmann et al. 2022, table 4: 1.5 million tokens, later 3."""
    found = recipe(70e9, 1.4e12, 1.97, 2048)
    assert 1.5e6 < found.batch_tokens < 3e6
    assert found.learning_rate == pytest.approx(1e-4, rel=0.35)
    assert found.warmup_steps == 2000


def test_gpt3s_learning_rates_and_kaplans_below() -> None:
    for parameters, _, rate in GPT3_TABLE:
        assert learning_rate(parameters) == pytest.approx(rate)
    assert learning_rate(1e6) == pytest.approx(0.003239 - 0.0001395 * math.log(1e6))
    assert learning_rate(124e6) == pytest.approx(6e-4, rel=0.07)  # the two rules meet at GPT-3 Small


@given(parameters=st.floats(1e4, 1e13))
def test_larger_models_learn_slower(parameters: float) -> None:
    assert 0 < learning_rate(1.01 * parameters) < learning_rate(parameters) < 2.1e-3


@given(
    parameters=st.floats(1e5, 1e12),
    tokens=st.floats(1e4, 1e14),
    loss=st.floats(1.7, 12),
    row_tokens=st.sampled_from([128, 512, 2048, 8192]),
    devices=st.integers(1, 3000),
)
def test_settings_that_training_accepts(
    parameters: float, tokens: float, loss: float, row_tokens: int, devices: int
) -> None:
    found = recipe(parameters, tokens, loss, row_tokens, devices)
    assert found.rows % devices == 0
    assert found.batch_tokens == found.rows * row_tokens
    assert found.steps == 1 or tokens - found.batch_tokens < found.steps * found.batch_tokens <= tokens
    settings = parse_settings(
        {
            "steps": found.steps,
            "batch_rows": found.rows,
            "learning_rate": found.learning_rate,
            "warmup_steps": found.warmup_steps,
            "schedule": found.schedule,
            "floor": found.floor,
        }
    )
    assert settings.warmup <= max(1, 0.02 * settings.steps + 1)
    assert set(found.to_dict()["rules"]) == {"batch", "learning_rate", "warmup", "schedule", "optimizer"}


def test_rows_are_a_power_of_two_near_a_quarter_of_the_critical_batch() -> None:
    for loss in (1.9, 2.5, 3.0, 4.0):
        rows = batch_rows(loss, 1024)
        assert rows & (rows - 1) == 0
        assert rows * 1024 / (2.1e8 / loss ** (1 / 0.21)) == pytest.approx(0.25, rel=0.42)
    assert batch_rows(11.0, 8192) == 1
