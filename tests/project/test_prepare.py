"""What a project trains on: tokenizers of each family's kind, shards, and a held-out part that nothing trains on."""

from pathlib import Path

import pytest

from trivium.errors import DataError
from trivium.project.prepare import Material, prepare
from trivium.project.read import parse_project


@pytest.fixture
def materials(small: dict) -> list[Material]:
    return prepare(parse_project(small))


def test_each_family_has_its_kind_and_its_objective(materials: list[Material]) -> None:
    kinds = [(each.family.name, each.tokenizer.kind, type(each.objective).__name__) for each in materials]
    assert kinds == [("bert", "wordpiece", "Masked"), ("gpt2", "bpe", "Causal"), ("t5", "unigram", "Span")]
    for each in materials:
        assert each.tokenizer.vocabulary == 700
        assert each.tokenizer_facts["bytes_per_token"] > 1


def test_no_document_is_trained_on_and_held_out(materials: list[Material]) -> None:
    for each in materials:
        trained = set(each.sources[0].documents.digests.tolist())
        held_out = set(each.held_out[0].digests.tolist())
        assert trained
        assert held_out
        assert not trained & held_out


def test_a_second_call_uses_what_is_there(small: dict, materials: list[Material]) -> None:
    files = {path: path.stat().st_mtime_ns for path in Path(small["scope"]["out"]).rglob("*") if path.is_file()}
    again = prepare(parse_project(small))
    assert [each.fingerprint for each in again] == [each.fingerprint for each in materials]
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_options_that_change_the_rows_change_the_fingerprint(small: dict, materials: list[Material]) -> None:
    for section, key, value in (
        ("data", "length", 32),
        ("model", "encoder", {"whole_word": True}),
        ("model", "encoder", {"length": 32}),
    ):
        changed = {**small, section: {**small[section], key: value}}
        assert prepare(parse_project(changed))[0].fingerprint != materials[0].fingerprint


def test_an_altered_tokenizer_is_refused(small: dict, materials: list[Material]) -> None:
    path = Path(small["scope"]["out"]) / "tokenizers" / "bpe-700" / "tokenizer.json"
    path.write_text(path.read_text().replace('"the"', '"eht"').replace('"Ġthe"', '"Ġeht"'))
    with pytest.raises(DataError, match="altered"):
        prepare(parse_project(small))
