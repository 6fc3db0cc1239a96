"""Preferences: rows and references, and models that come to prefer what was preferred, also where it was not taught."""

from pathlib import Path

import pytest
import torch

from tests.finetune.test_conversation import _lm
from trivium.data.examples import Examples, LabelledText, Preference
from trivium.errors import DataError, UsageError
from trivium.finetune.preference import preferred, prepare_preference
from trivium.finetune.run import finetune
from trivium.finetune.settings import FineTuneSettings, parse_finetune_settings

WORDS = ("cat", "dog", "mat", "north", "wind", "sun")
PAIRS = Examples("preference", tuple(Preference((("user", f"the {w}"),), f"{w}s and {w}s", f"the {w}") for w in WORDS))
SETTINGS = FineTuneSettings(epochs=20, batch=4, learning_rate=3e-3, precision="float32")


@pytest.mark.parametrize("family", ["gpt2", "t5"])
@pytest.mark.parametrize("template", [None, "plain"])
def test_before_the_first_step_nothing_is_preferred(family: str, template: str | None) -> None:
    lm = _lm(family)
    ready = prepare_preference(lm, PAIRS, (), SETTINGS.model_copy(update={"chat_template": template}))
    assert len(ready.rows) == len(PAIRS)
    start = preferred(lm.model, ready, beta=0.1)
    assert start.margin.value == pytest.approx(0, abs=1e-5)
    if family == "gpt2":
        for row in ready.rows:
            assert set(row.documents.tolist()) == {1, 2}
    assert str(start).startswith("6 pairs: margin")


@pytest.mark.parametrize("family", ["gpt2", "t5"])
@pytest.mark.parametrize("lora", [None, {"rank": 4}])
def test_taught_on_some_it_prefers_so_on_others(family: str, lora: dict | None, tmp_path: Path) -> None:
    lm, train, held_out = _lm(family), PAIRS.pick(range(4)), PAIRS.pick(range(4, 6))
    settings = parse_finetune_settings({**SETTINGS.model_dump(), "lora": lora, "learning_rate": 1e-2 if lora else 3e-3})
    done = finetune(lm, train, tmp_path, held_out, settings)
    assert done.task == "preference"
    found = preferred(done.load("cpu").model, prepare_preference(lm, held_out, (), settings), beta=0.1)
    assert found.margin.value > 0.05
    assert found.win_rate.value == 1.0
    assert found.to_dict()["items"] == 2


def test_a_conversation_asks_for_the_last_answer_alone() -> None:
    lm = _lm()
    talk = Preference((("user", "the cat"), ("assistant", "cats"), ("user", "the dog")), "dogs", "mats")
    settings = SETTINGS.model_copy(update={"chat_template": "plain"})
    (row,) = prepare_preference(lm, Examples("preference", (talk,)), (), settings).rows
    asked = row.targets[row.targets != -100].tolist()
    end = lm.tokenizer.special_tokens["eos_token"]
    assert lm.tokenizer.decode(asked, skip_special=False) == f"dogs{end}mats{end}"


def test_what_cannot_be_taught_is_said() -> None:
    long = Examples("preference", (*PAIRS, Preference((("user", "the cat"),), "cats " * 100, "dogs")))
    with pytest.raises(UsageError, match=r"Pair 7 .*more tokens than are read"):
        prepare_preference(_lm(), long, (), SETTINGS)
    ready = prepare_preference(_lm(), long, (), SETTINGS.model_copy(update={"too_long": "leave out"}))
    assert (len(ready.rows), dict(ready.left_out)) == (6, {"more tokens than are read": 1})
    with pytest.raises(DataError, match="an answer that is preferred"):
        prepare_preference(_lm(), Examples("classification", (LabelledText("a", "b"),)), (), SETTINGS)


def test_rows_hold_what_the_reference_says() -> None:
    lm = _lm()
    ready = prepare_preference(lm, PAIRS, (), SETTINGS)
    assert all(isinstance(row.label, tuple) and max(row.label) < 0 for row in ready.rows)
    other = _lm()
    with torch.no_grad():
        other.model.tokens.weight.mul_(1.5)
    assert preferred(other.model, ready, 1.0).margin.value != 0
