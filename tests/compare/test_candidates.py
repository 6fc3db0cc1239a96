"""Candidates in a word and in YAML, and every way to misspell one."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.compare.candidates import (
    BASELINES,
    AsIs,
    Baseline,
    Candidate,
    FineTuned,
    Prompted,
    candidate_of,
    parse_candidate,
    parse_candidates,
)
from trivium.errors import UsageError


@pytest.mark.parametrize(
    ("text", "candidate"),
    [
        ("naive-bayes", Baseline("naive-bayes", "naive-bayes")),
        ("minilm", AsIs("minilm", "minilm")),
        ("smollm2-135m@0-shot", Prompted("smollm2-135m@0-shot", "smollm2-135m", 0)),
        ("org/model@16-shots", Prompted("org/model@16-shots", "org/model", 16)),
        ("minilm+head", FineTuned("minilm+head", "minilm", "head")),
        ("runs/quickstart/t5+text", FineTuned("runs/quickstart/t5+text", "runs/quickstart/t5", "text")),
        ("smollm2-135m+lora", FineTuned("smollm2-135m+lora", "smollm2-135m", None, True, {"lora": {}})),
        ("a+head+lora", FineTuned("a+head+lora", "a", "head", True, {"lora": {}})),
        ("c++-small+head", FineTuned("c++-small+head", "c++-small", "head")),
    ],
)
def test_a_candidate_in_a_word(text: str, candidate: Candidate) -> None:
    assert parse_candidate(text) == candidate


def test_settings_stand_behind_a_colon_as_yaml_reads_them() -> None:
    found = parse_candidate(
        "minilm+lora:epochs=2,learning_rate=5e-5,lora.rank=4,too_long=leave out,lora.decomposed=true"
    )
    assert isinstance(found, FineTuned)
    assert found.settings == {
        "epochs": 2,
        "learning_rate": 5e-5,
        "too_long": "leave out",
        "lora": {"rank": 4, "decomposed": True},
    }


def test_a_list_is_cut_at_spaces_and_commas_but_not_within_settings() -> None:
    found = parse_candidates(
        ["most-common, naive-bayes,minilm+head:epochs=2,batch=8 a@4-shot,b@0-shot", {"model": "c"}]
    )
    assert [each.name for each in found] == [
        "most-common", "naive-bayes", "minilm+head:epochs=2,batch=8", "a@4-shot", "b@0-shot", "c",
    ]  # fmt: skip


def test_yaml_says_the_same_and_gives_names() -> None:
    assert candidate_of({"model": "m", "shots": 4}) == parse_candidate("m@4-shot")
    assert candidate_of({"model": "m", "train": "head"}) == parse_candidate("m+head")
    assert candidate_of({"model": "m", "train": "lora"}) == FineTuned("m+lora", "m", None, True)
    assert candidate_of({"baseline": "copy-source"}) == parse_candidate("copy-source")
    named = candidate_of({"name": "adapted", "model": "m", "train": "text", "lora": {"rank": 4}, "epochs": 2})
    assert named == FineTuned("adapted", "m", "text", True, {"lora": {"rank": 4}, "epochs": 2})


def test_a_folder_that_is_there_may_have_any_name(tmp_path: Path) -> None:
    for name in ("a+b", "a@b"):
        (tmp_path / name).mkdir()
        assert parse_candidate(f"{tmp_path}/{name}") == AsIs(f"{tmp_path}/{name}", f"{tmp_path}/{name}")
    assert parse_candidate(f"{tmp_path}/a+b+head") == FineTuned(f"{tmp_path}/a+b+head", f"{tmp_path}/a+b", "head")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("naive-bays", "Did you mean 'naive-bayes'?"),
        ("minilm+haed", "Did you mean 'head'?"),
        ("smollm@four-shot", "write 'smollm@0-shot'"),
        ("smollm@-1-shot", "is no number of shots"),
        ("minilm+head+text", "one of +head and +text"),
        ("minilm+head+head", "each way once"),
        ("minilm+head:epochs", "write name=value"),
        ("minilm+head:epochs=[1", "no number, word or list"),
        ("minilm:epochs=2", "has no settings"),
        (":epochs=2", "names no model"),
        ("naive-bayes:smooth=1", "has no settings"),
        ("", "There are no candidates"),
        ("minilm+head minilm+head", "Two candidates are named 'minilm+head'"),
    ],
)
def test_a_wrong_word_is_named_with_the_way_out(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parse_candidates([text])


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "must have a model, or a baseline"),
        ({"model": "m", "baseline": "naive-bayes"}, "not both"),
        ({"baseline": "naive"}, "Did you mean 'naive-bayes'?"),
        ({"model": "m", "shots": 1, "train": "head"}, "make two candidates"),
        ({"model": "m", "shots": 1.5}, "whole number"),
        ({"model": "m", "shots": True}, "whole number"),
        ({"model": "m", "train": "haed"}, "Did you mean 'head'?"),
        ({"model": "m", "epochs": 2}, "has no settings"),
        ({"model": "m", "name": " "}, "1 to 200 characters"),
    ],
)
def test_a_wrong_mapping_is_named_with_the_way_out(entry: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parse_candidates([entry])


@given(st.text(max_size=40))
def test_any_text_is_a_candidate_or_a_usage_error(text: str) -> None:
    try:
        found = parse_candidates([text])
    except UsageError:
        return
    assert all(each.name for each in found)


def test_every_baseline_is_a_candidate() -> None:
    assert [each.name for each in parse_candidates(list(BASELINES))] == list(BASELINES)
