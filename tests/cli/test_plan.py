"""`trivium plan`: the page, the document, the picture, and what is refused."""

import json
from pathlib import Path

import pytest

from trivium.cli.main import main
from trivium.cli.plan import plan
from trivium.quotes.asked import Settings
from trivium.quotes.quote import quote


def run(*arguments: str) -> int:
    return main(["plan", *arguments], {"plan": plan, "other": plan})


def test_a_person_sees_memory_verdict_and_assumptions(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("gpt2-small", "--device", "t4", "--rows", "4", "--length", "128") == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("gpt2-small: decoder, 124,439,808 parameters")
    for word in ("by the textbook", "Training fits on T4", "petaflop/s-days", "assumed"):
        assert word in shown.out
    assert shown.err == ""


def test_a_program_gets_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("t5-small", "--lora", "4", "--length", "64", "--output-length", "16", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    expected = quote("t5-small", Settings(lora_rank=4, length=64, outputs=16), adapting=True)
    assert document == json.loads(json.dumps(expected.to_dict()))


def test_a_budget_and_its_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "plan.svg"
    assert run("--budget", "1e19 flops", "--family", "gpt2", "--plot", str(picture)) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("1e+19 FLOPs")
    assert "learning rate" in shown.out
    assert shown.err == f"plot: {picture}\n"
    assert picture.read_text().startswith("<?xml")


def test_memory_as_a_picture(tmp_path: Path) -> None:
    assert run("gpt2-small", "--device", "t4", "--length", "64", "--plot", str(tmp_path / "memory.png")) == 0
    assert (tmp_path / "memory.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a model"),
        (["gpt2-small", "--budget", "1e20"], "Name a model"),
        (["--budget", "1e20", "--rows", "4"], "--rows is of no use here"),
        (["gpt2-small", "--family", "gpt2"], "--family is of no use here"),
        (["gpt2-smal"], "Did you mean 'gpt2-small'"),
        (["gpt2-small", "--device", "h1000"], "no device 'h1000'"),
        (["gpt2-small", "--calibrate"], "goes with --device here"),
        (["gpt2-small", "--utilisation", "2"], "share of the peak"),
        (["gpt2-small", "--law", "kaplam"], "Did you mean 'kaplan'"),
        (["--budget", "1e20", "--family", "gpt9"], "no family 'gpt9'"),
        (["gpt2-small", "--length", "64", "--plot", "memory.gif"], "memory.gif"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
