"""Settings: what is refused, and that the refusal says the value, the limit and the way out."""

import pytest
from pydantic import ValidationError

from trivium.errors import UsageError
from trivium.train.settings import TrainSettings, parse_settings


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"steps": 0}, ["'steps' is 0", "greater than 0", "Optimizer steps"]),
        ({}, ["'steps' is missing"]),
        ({"steps": 10, "learning_rat": 1}, ["no training setting 'learning_rat'", "Did you mean 'learning_rate'?"]),
        ({"steps": 10, "learning_rate": -1.0}, ["'learning_rate' is -1.0", "greater than 0"]),
        ({"steps": 10, "schedule": "cosin"}, ["'schedule' is 'cosin'", "'cosine'", "'wsd'"]),
        ({"steps": 10, "betas": [0.9, 1.0]}, ["'betas'", "less than 1"]),
        ({"steps": 10, "batch_rows": 8, "batch_tokens": 512}, ["batch_rows is 8", "batch_tokens is 512", "leave one"]),
        ({"steps": 10, "batch_rows": 8, "accumulation": 3}, ["batch_rows is 8", "take 9 rows"]),
        ({"steps": 10, "warmup_steps": 11}, ["warmup_steps is 11", "at most 10"]),
        ({"steps": 10, "patience": 2}, ["patience is 2", "validate_every is null", "give validate_every too"]),
        ({"steps": 10, "patience": 2, "validate_every": 1, "keep_best": False}, ["keep_best is false", "keep them"]),
        (
            {"steps": 10, "schedule": "wsd", "warmup_fraction": 0.5, "decay_fraction": 0.6},
            ["decay_fraction 0.6", "at most 0.5"],
        ),
    ],
)
def test_refusals(values: dict[str, object], said: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        parse_settings(values)
    for words in said:
        assert words in str(error.value)


def test_two_mistakes_are_both_named() -> None:
    with pytest.raises(UsageError, match=r"'steps' is -1.*'seed' is -2"):
        parse_settings({"steps": -1, "seed": -2})


def test_frozen() -> None:
    settings = parse_settings({"steps": 3})
    with pytest.raises(ValidationError):
        settings.steps = 4


def test_rows_of_a_step() -> None:
    assert parse_settings({"steps": 1, "batch_rows": 12}).rows(128) == 12
    assert parse_settings({"steps": 1, "batch_tokens": 4096, "accumulation": 4}).rows(128) == 32
    assert parse_settings({"steps": 1, "batch_tokens": 100, "accumulation": 4}).rows(128) == 4
    assert parse_settings({"steps": 1}).rows(128) == 1


def test_every_field_is_described_in_the_schema() -> None:
    properties = TrainSettings.model_json_schema()["properties"]
    assert all(field.get("description", "").endswith(".") for field in properties.values())


def test_bookkeeping_is_not_of_the_trajectory() -> None:
    one = parse_settings({"steps": 5, "keep_last": 1, "validate_every": 2, "checkpoint_every": 1})
    other = parse_settings({"steps": 5, "report_to": "tensorboard"})
    assert one.trajectory() == other.trajectory()
    assert one.trajectory() != parse_settings({"steps": 5, "seed": 1}).trajectory()
