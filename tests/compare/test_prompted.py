"""A prompt's settings, the choice of a way by the choose split, and calibrations that are read once."""

import numpy as np
import pytest

from tests.compare.tiny import splits
from tests.prompts.tiny import speaker
from trivium.compare.prompt_settings import PromptSettings, parse_prompt_settings
from trivium.compare.prompted import KeptCalibration, make_prompter
from trivium.compare.splits import Splits
from trivium.data.examples import Examples, TextPair
from trivium.errors import DataError, UsageError
from trivium.prompts.predictors import ChoicePrompter, TextPrompter

PARTS = splits(60)


@pytest.mark.parametrize("way", ["plain", "unconditional", "content-free", "in-domain"])
def test_a_kept_calibration_says_what_a_new_one_would(way: str) -> None:
    found, _ = make_prompter(speaker(), 2, PromptSettings(way=way), PARTS, seed=1)
    assert isinstance(found, KeptCalibration)
    some = PARTS.held_out.pick(range(4))
    for kept, anew in zip(found.predict(some), found.prompter.predict(some), strict=True):
        assert kept.said == anew.said
        assert kept.input == anew.input
        assert list(kept.scores.values()) == pytest.approx(list(anew.scores.values()), abs=1e-5)


def test_the_way_that_is_right_most_often_on_the_choose_split_is_taken() -> None:
    found, how = make_prompter(speaker(), 0, PromptSettings(), PARTS, seed=0)
    assert isinstance(found, KeptCalibration)
    right = {}
    for way in ("plain", "unconditional", "content-free", "in-domain"):
        one, _ = make_prompter(speaker(), 0, PromptSettings(way=way), PARTS, seed=0)
        said = one.predict(PARTS.choose)
        right[way] = np.mean([a.said == getattr(b, "label", "") for a, b in zip(said, PARTS.choose, strict=True)])
    assert right[found.prompter.way] == max(right.values())
    assert f"plain {right['plain']:.3f}" in how["choice by"]
    assert f"on {len(PARTS.choose)} items of the choose split" in how["choice by"]


def test_nearest_shots_are_others_for_every_item() -> None:
    found, _ = make_prompter(speaker(), 1, PromptSettings(way="plain", order="nearest"), PARTS, seed=0)
    assert isinstance(found, ChoicePrompter)
    some = PARTS.held_out.pick(range(3))
    assert len({prediction.input.split("\n\n")[0] for prediction in found.predict(some)}) > 1


def test_texts_are_answered_in_free_text() -> None:
    pairs = Examples("text-to-text", tuple(TextPair(f"source {n}", (f"target {n}",)) for n in range(4)), "pairs")
    found, how = make_prompter(speaker(), 1, PromptSettings(max_tokens=3), Splits(pairs, pairs, pairs), seed=0)
    assert isinstance(found, TextPrompter)
    assert how == {}
    assert len(found.predict(pairs.pick([0]))) == 1


def test_a_wrong_setting_is_named() -> None:
    assert parse_prompt_settings({"instruction": "Decide."}, "c").instruction == "Decide."
    with pytest.raises(UsageError, match=r"In 'c': There is no setting 'templat' of a prompt. Did you mean 'template'"):
        parse_prompt_settings({"templat": "x"}, "c")
    with pytest.raises(UsageError, match="Did you mean 'unconditional'"):
        parse_prompt_settings({"way": "uncondition"}, "c")
    with pytest.raises(UsageError, match="order is 'balance': it is one of random, balanced, nearest"):
        parse_prompt_settings({"order": "balance"}, "c")
    with pytest.raises(UsageError, match="misses a field"):
        make_prompter(speaker(), 0, PromptSettings(template="{{ label }}"), PARTS, seed=0)


def test_a_form_without_answers_cannot_be_prompted_for() -> None:
    tags = Examples("multi-label", PARTS.train.examples[:2], "texts")
    with pytest.raises(DataError, match="cannot be prompted"):
        make_prompter(speaker(), 0, PromptSettings(), Splits(tags, tags, tags), seed=0)
