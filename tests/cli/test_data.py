import json
from pathlib import Path

import pytest

from trivium.cli.data import describe, get, list_entries
from trivium.cli.main import Group, main

VERBS = {"data": Group("Data.", {"list": list_entries, "get": get, "describe": describe})}


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    (tmp_path / "pairs.jsonl").write_text('{"source": "one", "target": "un"}\n')
    return tmp_path / "pairs.jsonl"


def test_the_list_shows_every_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"], VERBS) == 0
    shown = capsys.readouterr().out
    assert main(["data", "list", "--json"], VERBS) == 0
    entries = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(entries) > 20
    assert all(f"\n{entry['name']} " in shown for entry in entries)


def test_a_source_is_described(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "describe", str(pairs)], VERBS) == 0
    assert "source/target" in capsys.readouterr().out
    assert main(["data", "describe", str(pairs), "--column", "target", "--json"], VERBS) == 0
    described = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (described["kind"], described["text_column"], described["sample"]) == ("text", "target", "un")


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (["get", "newz"], 2, "Did you mean 'news'?"),
        (["describe", "{}/pears.jsonl"], 1, "Did you mean 'pairs.jsonl'?"),
        (["describe", "{}/pairs.jsonl", "--column", "targte"], 1, "Did you mean 'target'?"),
        (["describe", "{}/pairs.jsonl", "--colum", "target"], 2, "Did you mean '--column'?"),
    ],
)
def test_wrong_use_is_a_paragraph(
    line: list[str], code: int, message: str, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", *(word.format(pairs.parent) for word in line)], VERBS) == code
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
