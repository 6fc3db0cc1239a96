"""`trivium compare`: the table and the recommendation, the document, a file of settings, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.compare.tiny import file_of
from tests.finetune.tiny import opposites
from trivium.cli.main import main


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return file_of(opposites(80), tmp_path / "data.jsonl")


def test_a_person_sees_the_table_what_failed_and_what_to_take(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = data.parent / "out"
    candidates = ["--candidates", "most-common naive-bayes", "--candidates", "no-such-model"]
    assert main(["compare", "--data", str(data), *candidates, "--held-out", "0.4", "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"accuracy on {data}: ")
    table = [line.split()[0] for line in shown.out.splitlines()[2:4]]
    assert table == ["naive-bayes", "most-common"]
    assert "no-such-model  failed: " in shown.out
    assert "Take naive-bayes: accuracy 0." in shown.out
    assert shown.out.rstrip().endswith(f"report: {out / 'report.html'}")
    assert "naive-bayes: answering" in shown.err


def test_a_program_gets_one_document_of_a_file_and_options(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = data.parent / "plan.yaml"
    plan.write_text(f"data: {data}\ncandidates: [most-common]\nseed: 1\nout: {data.parent / 'out'}\n")
    assert main(["compare", str(plan), "--seed", "2", "--held-out-items", "9", "--column", "text=text", "--json"]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["settings"]["seed"] == 2
    assert document["settings"]["columns"] == {"text": "text"}
    assert document["splits"]["held_out"] == 9
    assert document["recommendation"]["take"] == "most-common"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "HERE"], "Say what to compare"),
        (["--candidates", "most-common"], "Say what to compare"),
        (["--data", "HERE", "--candidates", "naive-bays"], "Did you mean 'naive-bayes'?"),
        (["--data", "HERE", "--candidates", "most-common", "--column", "label"], "write ROLE=NAME"),
        (["--data", "HERE", "--candidates", "most-common", "--held-out", "2"], "held_out is 2"),
        (["--data", "HERE", "--candidates", "most-common", "--metric", "acuracy"], "Did you mean 'accuracy'?"),
        (["nowhere.yaml"], "There is no comparison nowhere.yaml"),
    ],
)
def test_what_is_wrong_is_said(
    data: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    assert main(["compare", *(str(data) if each == "HERE" else each for each in arguments)]) == 2
    assert said in capsys.readouterr().err
