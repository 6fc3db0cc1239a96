"""`trivium evaluate`: figures with intervals, how they came about, and what is refused."""

import json
import re
from pathlib import Path

import pytest

from tests.decode.tiny import TEXTS, speaker
from tests.tasks.tiny import headed
from trivium.cli.evaluate import evaluate
from trivium.cli.main import main
from trivium.language_model import LanguageModel
from trivium.tasks.text_to_text import TextTask


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    headed("bert", "sequence-classification", ("pos", "neg")).save(folder / "classifier")
    LanguageModel(*speaker("gpt2")).save(folder / "writer")
    rows = [{"review": f"{text} {n}", "stars": "pos" if n % 2 else "neg"} for n in range(5) for text in TEXTS[:3]]
    (folder / "films.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "wiki.txt").write_text("\n\n".join(TEXTS[:4]))
    (folder / "suite.yaml").write_text(
        f"tasks:\n  films: {{data: {folder}/films.jsonl, columns: {{text: review, label: stars}}}}\n"
        f"  wiki: {{text: {folder}/wiki.txt, window: 32}}\n"
    )
    return folder


def run(place: Path, *arguments: str) -> int:
    given = [str(place / each[1:]) if each.startswith("@") else each for each in arguments]
    return main(["evaluate", *given, "--output", str(place / "results")], {"evaluate": evaluate, "other": evaluate})


COLUMNS = ("--column", "text=review", "--column", "label=stars")


def test_a_classifier_on_a_file(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(place, "@classifier", "--data", "@films.jsonl", *COLUMNS, "--limit", "10") == 0
    shown = capsys.readouterr().out
    for said in ("10 of", "classification", "cut at 64 tokens", "first input", TEXTS[0][:20], "accuracy", "low (95%)"):
        assert said in shown
    assert "precision" in shown
    [kept] = (place / "results").rglob("samples.jsonl")
    assert len(kept.read_text().splitlines()) == 10


def test_a_model_that_was_taught_labels_as_texts_is_asked_in_words(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The random writer of this test says no label, so everything it says counts as wrong."""
    taught = {"sentiment": TextTask("sentiment", prefix="sentiment: ", answer_tokens=3)}
    LanguageModel(*speaker("t5"), text_tasks=taught).save(place / "taught")
    assert run(place, "@taught", "--data", "@films.jsonl", *COLUMNS, "--limit", "4") == 0
    shown = capsys.readouterr().out
    assert "sentiment: {source}" in shown
    assert re.search(r"first input +sentiment: \w", shown)
    assert "no label of these items, and count as wrong: 4" in shown


def test_the_json_document(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(place, "@classifier", "--data", "@films.jsonl", *COLUMNS, "--metric", "mcc", "--json") == 0
    [row] = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert list(row["result"]["metrics"]) == ["mcc"]
    assert row["result"]["items"] == 15


def test_running_text(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(place, "@writer", "--text", "@wiki.txt", "--window", "32", "--stride", "8") == 0
    shown = capsys.readouterr().out
    for said in ("bits_per_byte", "32 tokens, each 8 further on", "one document: no interval"):
        assert said in shown


def test_a_suite_of_two_models(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(place, "@classifier", "@writer", "--suite", "@suite.yaml") == 0
    shown = capsys.readouterr().out
    assert "not measured" in shown
    assert "perplexity" in shown
    assert "accuracy" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("@classifier",), 2, "--data FILE, --text FILE and --suite FILE"),
        (("--data", "@films.jsonl"), 2, "There is no model"),
        (("--suite", "@suite.yaml"), 2, "names no model"),
        (("@classifier", "--suite", "@suite.yaml", "--split", "test"), 2, "--split is said for each task"),
        (("@writer", "--text", "@wiki.txt", "--metric", "mcc"), 2, "--metric does not go with --text"),
        (("@writer", "--data", "@films.jsonl", *COLUMNS), 1, "is for text-to-text"),
        (("@classifier", "--data", "@films.jsonl", "--column", "label"), 2, "write --column label=stars"),
        (("@classifier", "--data", "@films.jsonl", *COLUMNS, "--metric", "blue"), 2, "no metric 'blue'"),
        (("@classifier", "--data", "@films.jsonl", *COLUMNS, "--label", "posi=good"), 2, "Did you mean 'pos'"),
        (("@classifier", "--text", "@wiki.txt"), 2, "Perplexity is of a decoder's texts"),
    ],
)
def test_wrong_use(
    arguments: tuple[str, ...], code: int, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place, *arguments) == code
    assert said in capsys.readouterr().err
