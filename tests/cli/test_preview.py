import json
from pathlib import Path

import pytest

from trivium.cli.main import main
from trivium.cli.preview import preview
from trivium.text.training import train_tokenizer

TEXTS = [f"Paragraph {n}: the quick brown fox jumps over the lazy dog number {n * 7}." for n in range(80)]


def run(*arguments: str) -> int:
    return main([*arguments], {"preview": preview, "other": preview})


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    file = tmp_path / "corpus.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    return file


def test_every_objective_is_shown_and_the_trained_tokenizers_are_named(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("preview", str(corpus), "--length", "48", "--rows", "1") == 0
    out, err = capsys.readouterr()
    for name, kind, size in (("causal", "bpe", "48"), ("masked", "wordpiece", "48"), ("span", "unigram", "48 and 12")):
        assert f"{name}, rows of {size} tokens" in out
        assert f"{name}: with a {kind} tokenizer" in err
    assert "{[MASK]" in out
    assert "{<extra_id_0>" in out
    assert "80 documents" in out
    assert "\x1b" not in out


def test_json_is_the_last_line(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_tokenizer("wordpiece", TEXTS, 200).save(tmp_path / "tokenizer")
    arguments = ("--objective", "masked", "--whole-word", "--tokenizer", str(tmp_path / "tokenizer"), "--json")
    assert run("preview", str(corpus), *arguments) == 0
    (shown,) = json.loads(capsys.readouterr().out.splitlines()[-1])["objectives"]
    assert (shown["objective"], shown["documents"], len(shown["rows"])) == ("masked", 80, 2)
    assert {"text", "document", "asked"} == set(shown["rows"][0]["inputs"][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--objective", "mask"), "Did you mean 'masked'"),
        (("--rows", "0"), "at least 1"),
        (("--objective", "masked", "--length", "2"), "at least 3 tokens"),
        (("--column", "body"), "body"),
    ],
)
def test_wrong_use_is_one_paragraph(
    arguments: tuple[str, ...], message: str, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("preview", str(corpus), *arguments) in (1, 2)
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
