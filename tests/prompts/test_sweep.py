"""Sweeps: every combination once, the mean over seeds with its interval, resumed where it stopped."""

import json
import math
from pathlib import Path

import pytest

from tests.prompts.tiny import review_prompt, reviews, speaker, text_of
from trivium.errors import UsageError
from trivium.prompts.predictors import ChoicePrompter
from trivium.prompts.shots import Shots
from trivium.prompts.sweep import sweep

POOL, ASKED = reviews(20), reviews(8, "One")
PROMPTS = {"plain": review_prompt(), "short": review_prompt("{{ text }} It is {{ label }}", good="great", bad="poor")}
COUNTS = [Shots(0), Shots(2)]


def test_every_combination_has_a_row() -> None:
    heard: list[str] = []
    lm = speaker()
    found = sweep(lm, PROMPTS, POOL, ASKED, COUNTS, ["plain", "content-free"], seeds=3, told=heard.append)
    assert len(found.rows) == 8
    assert len(heard) == 2 * (1 + 3)  # without shots there is nothing to draw
    assert heard[0].startswith("plain, shots none, seed 0: plain ")
    row = next(row for row in found.rows if (row.prompt, row.shots.count, row.way) == ("short", 2, "plain"))
    drawn = []
    for seed, accuracy in enumerate(row.by_seed):
        said = ChoicePrompter(lm, PROMPTS["short"], POOL, Shots(2), seed=seed).predict(ASKED)
        drawn.append(said)
        assert accuracy == sum(a.said == b.labels[0] for a, b in zip(said, ASKED, strict=True)) / 8
    together = ChoicePrompter(lm, PROMPTS["short"], POOL, Shots(2), draws=3).predict(ASKED)
    assert row.together is not None
    assert row.together.value == sum(a.said == b.labels[0] for a, b in zip(together, ASKED, strict=True)) / 8
    for one, *parts in zip(together, *drawn, strict=True):
        mean = sum(math.log(part.scores["good"] / part.scores["bad"]) for part in parts) / 3
        assert math.log(one.scores["good"] / one.scores["bad"]) == pytest.approx(mean, abs=1e-4)
    assert found.rows[0].together is None
    assert row.accuracy.value == pytest.approx(sum(row.by_seed) / 3)
    assert row.accuracy.low is not None
    assert row.accuracy.high is not None
    assert row.accuracy.low <= row.accuracy.value <= row.accuracy.high
    assert row.spread == (min(row.by_seed), max(row.by_seed))
    assert found.best.accuracy.value == max(row.accuracy.value for row in found.rows)
    assert found.first["short"].endswith(f"{text_of(ASKED.examples[0])} It is")
    document = json.loads(json.dumps(found.to_dict()))
    assert document["rows"][0]["lean"].keys() == {"said", "right", "leans_to"}
    assert found.plot().axes[0].get_xlabel() == "shots"


def test_shots_that_were_left_out_are_counted() -> None:
    found = sweep(speaker("gpt2", positions=120), {"plain": review_prompt()}, POOL, ASKED, [Shots(12)], seeds=2)
    [row] = found.rows
    assert row.left_out > 0
    assert row.fewest < 12


def test_a_sweep_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm = speaker()
    whole = sweep(lm, PROMPTS, POOL, ASKED, COUNTS, seeds=2, folder=tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 6
    files[0].unlink()
    files[1].write_text(files[1].read_text()[:20])  # not whole
    read: list[int] = []
    ask = ChoicePrompter.read

    def counted(self: ChoicePrompter, *given: object) -> object:
        read.append(1)
        return ask(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(ChoicePrompter, "read", counted)
    again = sweep(lm, PROMPTS, POOL, ASKED, COUNTS, seeds=2, folder=tmp_path)
    assert len(read) == 2
    assert [row.by_seed for row in again.rows] == [row.by_seed for row in whole.rows]
    sweep(speaker("llama"), PROMPTS, POOL, ASKED, COUNTS, seeds=2, folder=tmp_path)
    assert len(read) == 2 + 6  # another model


def test_nothing_to_sweep_is_refused() -> None:
    with pytest.raises(UsageError, match="A sweep needs a prompt"):
        sweep(speaker(), {}, POOL, ASKED)
    with pytest.raises(UsageError, match="no way 'best'"):
        sweep(speaker(), PROMPTS, POOL, ASKED, ways=["best"])
