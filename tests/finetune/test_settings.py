"""Settings: what the loop is told, and errors that say the limit and the way out."""

import pytest

from trivium.adapt.lora import Lora
from trivium.errors import UsageError
from trivium.finetune.settings import FineTuneSettings, parse_finetune_settings


def test_epochs_become_steps() -> None:
    settings = FineTuneSettings(epochs=2.5, batch=32)
    assert (settings.epoch_steps(100), settings.steps(100), settings.steps(1)) == (4, 10, 3)
    told = settings.train_settings(100, held_out=True)
    assert (told.steps, told.validate_every, told.floor, told.schedule) == (10, 4, 0.0, "linear")


def test_without_held_out_examples_there_is_no_early_end() -> None:
    settings = FineTuneSettings(patience=2, validate_every=7)
    with_held_out, without = (settings.train_settings(100, held_out=held) for held in (True, False))
    assert (with_held_out.patience, with_held_out.validate_every) == (2, 7)
    assert (without.patience, without.validate_every) == (None, None)


def test_settings_are_read_from_plain_data() -> None:
    read = parse_finetune_settings({"lora": {"rank": 4, "targets": ["*query"]}, "class_weights": {"a": 2, "b": 1}})
    assert read.lora == Lora(rank=4, targets=("*query",))
    assert read.class_weights == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epoch": 3}, "no fine-tuning setting 'epoch'. Did you mean 'epochs'"),
        ({"epochs": 0}, "'epochs' is 0, and should be greater than 0. How often"),
        ({"too_long": "drop"}, "'too_long' is 'drop'"),
        ({"class_weights": {"a": -1}}, "'class_weights' is -1"),
        ({"lora": {"rank": 0}}, "rank of LoRA must be at least 1"),
        ({"lora": {"ranks": 4}}, "'lora' is 4"),
        ({"copy_epochs": 2, "patience": 1}, "copy_epochs is 2 and patience 1, but"),
    ],
)
def test_wrong_settings_are_refused(values: dict, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_finetune_settings(values)
    assert said in str(refused.value)
