"""The whole on tiny models: every family, a failure among them, and going on where it was stopped."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import trivium.compare.run as run_module
from tests.compare.tiny import file_of, folder_of
from tests.finetune.tiny import opposites
from tests.prompts.tiny import speaker
from trivium.compare.run import compare
from trivium.compare.settings import CompareSettings, parse_compare_settings
from trivium.errors import UsageError


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    file_of(opposites(160), folder / "data.jsonl")
    for family in ("bert", "gpt2", "t5"):
        folder_of(family, folder / family)
    return folder


def settings(place: Path, out: str, *candidates: str, **changes: object) -> CompareSettings:
    return parse_compare_settings(
        {
            "data": str(place / "data.jsonl"),
            "candidates": [each.replace("HERE", str(place)) for each in candidates],
            "held_out": 0.3,
            "choose": 0.3,
            "out": str(place / out),
            **changes,
        }
    )


@pytest.mark.slow
def test_all_families_are_compared_and_one_that_fails_ends_nothing(place: Path) -> None:
    said: list[str] = []
    asked = settings(
        place,
        "all",
        "most-common naive-bayes",
        "HERE/missing+head",
        "HERE/bert+head:epochs=0.3,precision=float32",
        "HERE/gpt2@1-shot:way=plain",
        "HERE/t5+text:epochs=0.2,max_tokens=8,precision=float32",
        held_out_items=12,
    )
    found = compare(asked, said.append)
    assert {each.name.removeprefix(f"{place}/") for each in found.ranking.standings} == {
        "most-common", "naive-bayes", "bert+head:epochs=0.3,precision=float32", "gpt2@1-shot:way=plain",
        "t5+text:epochs=0.2,max_tokens=8,precision=float32",
    }  # fmt: skip
    assert [failure.name for failure in found.failed] == [f"{place}/missing+head"]
    assert found.ranking["naive-bayes"].score.value > 0.6
    kinds = {name.removeprefix(f"{place}/").partition("+")[0]: each.kind for name, each in found.measured.items()}
    assert (kinds["bert"], kinds["t5"], kinds["naive-bayes"]) == ("encoder", "encoder-decoder", "baseline")
    assert (
        json.loads((place / "all" / "comparison.json").read_text())["recommendation"]["take"]
        == found.recommendation.take
    )
    assert "failed" in (place / "all" / "report.html").read_text().lower()
    assert any(line.startswith(f"{place}/missing+head: failed. ") for line in said)

    asked_again = parse_compare_settings(yaml.safe_load((place / "all" / "comparison.yaml").read_text()))
    assert asked_again == asked
    said.clear()
    again = compare(asked_again, said.append)
    assert sum("measured before" in line for line in said) == 5
    assert again.to_dict() == found.to_dict()


def test_it_goes_on_with_the_candidate_at_which_it_was_stopped(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = settings(place, "stopped", "most-common naive-bayes")
    make: Callable[..., object] = run_module.make_ready  # type: ignore[attr-defined]

    def stop_at_the_second(candidate: object, *rest: object) -> object:
        if getattr(candidate, "name", "") == "naive-bayes":
            raise KeyboardInterrupt
        return make(candidate, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "make_ready", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            compare(asked)
    said: list[str] = []
    compare(asked, said.append)
    assert f"most-common: measured before, in {place}/stopped/most-common/seed-0" in said
    assert any(line.startswith("naive-bayes: answering") for line in said)


def test_other_examples_are_measured_anew(place: Path) -> None:
    compare(settings(place, "again", "most-common"))
    said: list[str] = []
    compare(settings(place, "again", "most-common", held_out_items=20), said.append)
    assert not any("measured before" in line for line in said)


def test_a_model_that_was_trained_again_is_measured_anew(place: Path) -> None:
    asked = settings(place, "again", "HERE/gpt2@0-shot:way=plain", held_out_items=6)
    said: list[str] = []
    compare(asked, said.append)
    compare(asked, said.append)
    assert sum("measured before" in line for line in said) == 1
    speaker("gpt2", 64).save(place / "gpt2")
    compare(asked, said.append)
    assert sum("measured before" in line for line in said) == 1


def test_seeds_train_and_prompt_again_and_what_draws_nothing_does_not(place: Path) -> None:
    found = compare(settings(place, "seeds", "most-common HERE/gpt2@1-shot:way=plain", seeds=2, held_out_items=4))
    counts = sorted(len(each.measurements) for each in found.measured.values())
    assert counts == [1, 2]
    shots = next(each for each in found.measured.values() if len(each.measurements) == 2)
    assert len({each.predictions[0].input for each in shots.measurements}) == 2
    assert "another seed" not in str(found.recommendation)


def test_what_is_wrong_in_itself_is_said_at_once(place: Path) -> None:
    for candidates, changes, said in (
        (("naive-bays",), {}, "Did you mean 'naive-bayes'"),
        (("tag-lookup",), {}, "is for tagging"),
        (("most-common",), {"metric": "ece"}, "better the smaller it is"),
        (("HERE/missing",), {}, "Every candidate failed"),
    ):
        with pytest.raises(UsageError, match=said):
            compare(settings(place, "wrong", *candidates, **changes))


def test_a_fault_of_ours_is_told_from_the_users(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("a fault")

    monkeypatch.setattr(run_module, "measure_latency", broken)
    with pytest.raises(UsageError, match=r"RuntimeError: a fault. This is a fault in Trivium"):
        compare(settings(place, "fault", "most-common"))
