"""`trivium which`: the table, the document, and what is refused."""

import json

import pytest

from trivium.cli.main import main
from trivium.cli.which import which
from trivium.plan.which import which as recommend


def run(*arguments: str) -> int:
    return main(["which", *arguments], {"which": which, "other": which})


def test_a_person_sees_choice_reasons_and_assumptions(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--device", "L4", "--latency-ms", "20", "--examples", "5000"]
    assert run("--task", "classify support tickets by urgency", *options) == 0
    shown = capsys.readouterr()
    found = recommend("classify support tickets by urgency", device="l4", latency_ms=20, examples=5000)
    lines = shown.out.splitlines()
    assert lines[0] == found.title
    assert lines[2].split()[:3] == ["choice", *found.model.name.split()]
    for _, said in found.lines():
        assert said in shown.out
    assert shown.err == ""


def test_a_program_gets_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--task", "generation", "--memory-gb", "8", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["choice"]["kind"] == "decoder"
    assert document == json.loads(json.dumps(recommend("generation", memory_gb=8.0).to_dict()))


def test_no_fine_tune_and_per_token(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--task", "sentiment", "--no-fine-tune", "--examples", "3", "--device", "t4", "--latency-ms", "9"]
    assert run(*line, "--per-token", "--input-tokens", "50", "--output-tokens", "2", "--dtype", "int8", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["way"] == "few-shot"
    assert document["limits"] == {
        "inputs": 50, "shot_tokens": 200, "outputs": 2, "memory_bytes": 16_000_000_000, "latency_seconds": 0.009,
        "per_token": True, "weights": "int8",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["--task", "summarise and translate"], 2, "Which is it? Say it by --task NAME."),
        (["--task", "do things"], 2, "is not understood"),
        ([], 2, "Missing option '--task'"),
        (["--task", "NER", "--device", "a100"], 2, "a100-sxm-80"),
        (["--task", "NER", "--memory-gb", "0.01"], 1, "No published encoder fits 0.01 GB."),
        (["--task", "NER", "--memory", "1"], 2, "No such option: --memory"),
    ],
)
def test_what_is_refused(line: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*line) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.count("\n") == 1
