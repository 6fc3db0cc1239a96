"""A setting is chosen on examples that are neither shown nor reported on."""

import json

import pytest

from tests.prompts.tiny import review_prompt, reviews, speaker, text_of
from trivium.errors import UsageError
from trivium.metrics.metric import Metric
from trivium.prompts.lean import Lean
from trivium.prompts.shots import Shots
from trivium.prompts.study import Study, study
from trivium.prompts.sweep import Row, Sweep

POOL, ASKED = reviews(20), reviews(6, "One")
PROMPTS = {"long": review_prompt(), "short": review_prompt("{{ text }} It is {{ label }}")}


def test_the_best_setting_alone_is_asked_of_the_held_out() -> None:
    heard: list[str] = []
    found = study(speaker(), PROMPTS, POOL, ASKED, [Shots(0), Shots(2)], ["plain"], 2, choose_on=8, told=heard.append)
    assert found.tuning is not None
    assert (found.tuning.items, len(found.tuning.rows)) == (8, 4)
    [row] = found.held_out.rows
    best = found.tuning.best
    assert (row.prompt, row.shots, row.way) == (best.prompt, best.shots, best.way)
    assert found.held_out.items == 6
    assert any(line.startswith(f"chosen: {best.prompt}") for line in heard)
    assert json.loads(json.dumps(found.to_dict()))["tuning"]["items"] == 8


def test_what_was_chosen_on_is_never_shown() -> None:
    found = study(speaker(), {"long": PROMPTS["long"]}, POOL, ASKED, [Shots(4)], ["plain"], choose_on=12)
    tuned = {text_of(example) for example in POOL.sample(12, 1)}
    assert found.held_out.first["long"].count("Review: ") == 5
    assert not any(f"{text}\n" in found.held_out.first["long"] for text in tuned)


def test_without_a_choice_everything_is_asked() -> None:
    found = study(speaker(), PROMPTS, POOL, ASKED, [Shots(0)], ["plain", "per-byte"])
    assert found.tuning is None
    assert len(found.held_out.rows) == 4


def test_too_many_to_choose_on() -> None:
    with pytest.raises(UsageError, match=r"cannot be chosen on 20 examples: .* there are 20"):
        study(speaker(), PROMPTS, POOL, ASKED, [Shots(0)], ["plain"], choose_on=20)


def test_remarks_say_leans_and_shots_left_out() -> None:
    lean = Lean.of(["good"] * 90 + ["bad"] * 10, ["good"] * 50 + ["bad"] * 50, ["bad", "good"])
    row = Row("long", Shots(8), "plain", Metric("accuracy", 0.6, items=100), (0.6,), None, lean, 300, 4, 1.0)
    assert Study(Sweep((row,), 100, 1, {})).remarks == (
        "long, 8 shots, plain leans to 'good': said of 90%, right for 50%. Calibrate it (content-free, in-domain), or "
        "show other shots.",
        "long, 8 shots, plain: 300 shots found no room in the context; a prompt has 4 at least.",
    )
