"""`trivium run` and `trivium schema`: what they print, and how they fail."""

import json
from pathlib import Path

import pytest
import yaml

from trivium.cli.main import main

CORPUS = [{"text": f"Document {i} says that {i} and {i + 1} make {2 * i + 1}, as {i} always did."} for i in range(400)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CORPUS))
    content = {
        "scope": {"out": str(tmp_path / "out"), "minutes": 0.2},
        "data": {"mix": [str(tmp_path / "corpus.jsonl")], "held_out": 0.1, "length": 32},
        "model": {"families": ["gpt2"], "vocabulary": 320, "dim": 32, "tokens_per_parameter": 0.2},
        "train": {"batch_tokens": 512, "precision": "float32"},
        "evaluate": {"prompts": ["Document [b]3[/b]"], "max_tokens": 5},
    }
    path = tmp_path / "project.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_run_ends_with_its_tables_its_samples_and_the_report(project: Path, capsys) -> None:
    assert main(["run", str(project)]) == 0
    shown = capsys.readouterr().out
    assert "On held-out text" in shown
    assert "The bill" in shown
    for words in ("a step", "whole time", "memory", "  optimizer", "resident: what the process grew by"):
        assert words in shown
    assert "gpt2: Document [b]3[/b]\n" in shown, "what users wrote is not markup"
    assert shown.rstrip().endswith("report.html")

    assert main(["run", str(project), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["finished"]
    assert result["models"][0]["bill"]["lines"][0]["error"] == 0


def test_a_dry_run_shows_the_plan(project: Path, tmp_path: Path, capsys) -> None:
    assert main(["run", str(project), "--dry-run", "--set", "model.families=[bert, t5]"]) == 0
    shown = capsys.readouterr().out
    assert "The plan" in shown
    assert "encoder-decoder" in shown
    assert "Memory of a step's tensors, at their peak" in shown
    assert not (tmp_path / "out" / "bert").exists()


def test_what_does_not_fit_is_refused_unless_forced(project: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("trivium.plan.machine.free_memory_bytes", lambda device: 1_000_000)
    assert main(["run", str(project)]) == 1
    error = capsys.readouterr().err
    assert "error: A training step of this gpt2" in error
    assert "1 MB are free." in error
    assert "train.accumulation" in error
    assert "Traceback" not in error
    assert not (tmp_path / "out" / "gpt2").exists()
    assert main(["run", str(project), "--dry-run", "--force"]) == 0
    assert "warning: A training step of this gpt2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["run", "{}.yml"], 2, "Did you mean 'project.yaml'?"),
        (["run", "{}", "--set", "scope.minuts=1"], 2, "Did you mean 'minutes'?"),
        (["run", "{}", "--dry"], 2, "--dry-run"),
        (["run", "{}", "--set", "data.mix=[missing.txt]"], 1, "missing.txt"),
        (["run", "{}", "--set", "model.vocabulary=50000"], 1, "vocabulary"),
        (["run", "{}", "--set", "data.mix=[{{path: {}, column: txet}}]"], 1, "txet"),
    ],
)
def test_mistakes_are_one_paragraph(line: list, code: int, said: str, project: Path, capsys) -> None:
    arguments = [
        part.format(project if number != 3 else project.with_name("corpus.jsonl")) for number, part in enumerate(line)
    ]
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert error.splitlines()[-1].startswith("error: ")


def test_an_empty_corpus_and_one_that_is_not_text(project: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "binary.txt").write_bytes(b"good text\n\xff\xfe\xff")
    for name, said in (("empty.txt", "empty"), ("binary.txt", "UTF-8")):
        assert main(["run", str(project), "--set", f"data.mix=[{tmp_path / name}]"]) == 1
        assert said in capsys.readouterr().err


def test_a_document_longer_than_everything_is_cut_and_none_of_it_lost(project: Path, tmp_path: Path, capsys) -> None:
    rows = [*CORPUS, {"text": " ".join(str(number) for number in range(20_000))}]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["run", str(project), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["models"][0]["data"]["consumed"]["sources"][0]["tokens"] > 20_000


def test_the_schema_is_a_json_schema(capsys) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    sections = {"scope", "data", "model", "train", "evaluate", "prompt", "finetune", "compare"}
    assert set(schema["properties"]) == sections
    assert not {"out", "seed"} & set(schema["$defs"]["Comparing"]["properties"])  # which the project decides
