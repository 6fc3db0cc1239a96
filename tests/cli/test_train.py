"""`trivium train`: from a file to a model that does the task, with its figures; wrong use is refused."""

import json
from pathlib import Path

import pytest

import trivium
from tests.finetune.tiny import body, opposites
from trivium.cli.main import main


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("base")
    body("bert").save(folder)
    return str(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("data") / "opposites.jsonl"
    rows = [json.dumps({"text": example.text, "label": example.label}) for example in opposites(32)]
    path.write_text("\n".join(rows) + "\n")
    return str(path)


QUICK = ("--epochs", "2", "--batch", "8", "--set", "precision=float32", "--learning-rate", "5e-3")


def test_a_model_is_taught_and_measured(
    base: str, data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = ("train", base, "--data", data, "--out", str(out), "--held-out", "0.25", *QUICK)
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["task"] == "classification"
    assert document["labels"] == ["no", "yes"]
    assert (document["examples"], document["held_out"]) == (24, 8)
    assert 0 <= document["evaluation"]["metrics"]["accuracy"]["value"] <= 1
    assert document["result"]["finished"]
    assert trivium.load(out).classify("not the cat").label in ("no", "yes")
    assert main(command) == 0  # what is finished is only read
    printed = capsys.readouterr().out
    assert "classification: no, yes" in printed
    assert "accuracy" in printed


def test_low_rank_and_no_held_out(base: str, data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    given = ("--held-out", "0", "--lora", "2", "--items", "16")
    assert main(["train", base, "--data", data, "--out", str(out), *given, *QUICK, "--json"]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (document["examples"], document["held_out"], document["evaluation"]) == (16, 0, None)
    assert document["trained_parameters"] < document["result"]["parameters"] / 4
    assert (out / "adapter" / "adapter_config.json").is_file()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--set", "epoch=3"), "no fine-tuning setting 'epoch'"),
        (("--set", "epochs"), "sets nothing"),
        (("--epochs", "-1"), "'epochs' is -1"),
        (("--labels", "no,yes,maybe"), "has the label 'maybe'"),
        (("--task", "tagging"), "do not teach tagging"),
        (("--held-out", "2"), "lies between 0 and 1"),
        (("--column", "label"), "--column"),
    ],
)
def test_wrong_use_is_refused(
    base: str, data: str, given: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", base, "--data", data, "--out", str(tmp_path / "run"), *given]) != 0
    assert said in capsys.readouterr().err
