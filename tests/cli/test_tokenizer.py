import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from trivium.cli.main import Group, main
from trivium.cli.tokenizer import report, train

VERBS = {"tokenizer": Group("Tokenizers.", {"train": train, "report": report})}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "corpus.txt").write_text("The quick brown fox jumps over the lazy dog, and the dog barks.\n" * 30)
    return tmp_path / "corpus.txt"


def test_train_and_report(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tokenizer"
    options = ["--kind", "bpe", "--vocabulary", "280", "--out", str(out)]
    assert main(["tokenizer", "train", str(corpus), *options, "--json"], VERBS) == 0
    trained = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert trained["fertility"]["words"] == 30 * 13
    assert len(AutoTokenizer.from_pretrained(out)) == 280
    assert main(["tokenizer", "report", str(out), str(corpus), "--json"], VERBS) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == trained["fertility"]
    assert main(["tokenizer", "report", str(out), str(corpus)], VERBS) == 0
    assert "tokens per word" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--vocabulary", "9000"], 1, "larger than the data supports"),
        (["--vocabulary", "10"], 1, "leaves no room"),
        (["--kind", "bpee"], 2, "Did you mean 'bpe'?"),
    ],
)
def test_wrong_use_is_a_paragraph(
    options: list[str], code: int, message: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tokenizer", "train", str(corpus), "--out", str(tmp_path / "out"), *options], VERBS) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
