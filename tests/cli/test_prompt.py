"""`trivium prompt`: the first prompt, the table, the document, and what is refused."""

import json
import re
from pathlib import Path

import pytest

from tests.prompts.tiny import reviews, speaker, text_of
from trivium.cli.main import main

TEMPLATE = r"Review: {{ text }}\nSentiment: {{ label }}"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    speaker().save(folder)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"text": text_of(example), "label": example.labels[0]} for example in reviews(30)]
    (tmp_path / "reviews.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "reviews.jsonl"


def run(*arguments: object) -> int:
    return main(["prompt", *map(str, arguments)])


def test_a_person_sees_the_first_prompt_and_how_well_it_does(
    model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--word", "good=great", "--word", "bad=poor"]
    options = ["--template", TEMPLATE, *words, "--shots", "0,2", "--seeds", 2, "--instruction", "Judge."]
    assert run(model, "--data", data, *options) == 0
    shown = capsys.readouterr()
    first, _, table = shown.out.partition("reviews.jsonl: 6 held out")
    assert first.startswith("The first template 1:\n\nJudge.\n\nReview: ")
    assert first.count("Sentiment: great") == first.count("Sentiment: poor") == 1
    rows = [line.split() for line in table.splitlines() if line.startswith("template 1 ")]
    assert [(row[2], row[3]) for row in rows] == [
        (count, way) for count in "02" for way in ("plain", "content-free", "in-domain")
    ]
    assert all("bad" in row and "good" in row for row in rows)
    assert "template 1, shots 2 balanced, seed 1: plain" in shown.err


def test_a_program_gets_one_document_and_a_picture(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "short.txt").write_text("{{ text }} It is {{ label }}\n")
    templates = ["--template", TEMPLATE, "--template", tmp_path / "short.txt"]
    files = ["--plot", tmp_path / "a.svg", "--folder", tmp_path / "kept"]
    assert run(model, "--data", data, *templates, "--way", "plain", "--choose-on", 8, *files, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["prompt"] for row in document["tuning"]["rows"]} == {"template 1", "short"}
    assert len(document["held_out"]["rows"]) == 1
    assert (tmp_path / "a.svg").read_text().rstrip().endswith("</svg>")
    assert len(list((tmp_path / "kept").iterdir())) == 3


def test_answers_are_written(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"source": f"A {word} film", "target": word} for word in ("fine", "dull", "warm", "cold", "flat")]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(model, "--data", tmp_path / "pairs.jsonl", "--shots", 2, "--max-tokens", 4) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("The first prompt:\n\nInput: ")
    assert shown.count("Output:") == 3
    assert "shots: 2 random, seed 0; 1 items held out" in shown


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--template", "{{ text }}"], "misses a field"),
        (["--template", "nowhere.txt"], "neither a file nor"),
        (["--shots", "some"], "--shots is 'some': give numbers"),
        (["--shots", "400"], "shots are too many: .* has 24 examples"),
        (["--word", "good"], "--word is 'good': write it as positive=great"),
        (["--word", "good=great"], "'bad' has no word"),
        (["--word", "good=bad", "--word", "bad=badly"], "begins that of"),
        (["--way", "calibrated"], "no way 'calibrated'"),
        (["--order", "likeness", "--shots", "1"], "cannot be chosen by 'likeness'"),
        (["--style", "chat"], "no chat template"),
        (["--choose-on", "24"], "cannot be chosen on 24"),
    ],
)
def test_bad_use_is_refused(
    model: Path, data: Path, options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(model, "--data", data, *options) == 2
    assert re.search(complaint, capsys.readouterr().err)
