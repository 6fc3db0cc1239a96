"""`trivium fit ladder`: what it refuses before it trains, and that it is documented."""

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
        "scope": {"out": str(tmp_path / "out")},
        "data": {"mix": [str(tmp_path / "corpus.jsonl")], "held_out": 0.1, "length": 32},
        "model": {"vocabulary": 320},
        "train": {"batch_tokens": 512, "precision": "float32"},
    }
    path = tmp_path / "project.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--family", "gpt-2"], 2, "Did you mean 'gpt2'?"),
        (["--minutes", "0"], 2, "give a number above 0"),
        (["--minutes", "0.001"], 1, "A ladder needs three sizes"),
        (["--plot", "ladder.txt"], 2, "the name must end in .svg, .png, .pdf"),
        (["--target", "a lot"], 2, "a lot"),
        (["--set", "data.mix=[missing.txt]"], 1, "missing.txt"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(project: Path, capsys, options: list[str], code: int, said: str) -> None:
    assert main(["fit", "ladder", str(project), *options]) == code
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
