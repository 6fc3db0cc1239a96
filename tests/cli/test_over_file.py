"""`trivium classify`, `tag`, `answer`, `translate` and `embed`: a text, or files from one to another."""

import io
import json
import sys
from pathlib import Path

import pytest

from tests.decode.tiny import speaker
from tests.tasks.tiny import TEXTS, headed
from trivium.cli.main import main
from trivium.language_model import LanguageModel


@pytest.fixture(scope="module")
def models() -> dict[str, LanguageModel]:
    return {
        "classify": headed("bert", "sequence-classification"),
        "tag": headed("bert", "token-classification"),
        "answer": headed("bert", "question-answering", ("start", "end")),
        "translate": LanguageModel(*speaker("t5")),
        "embed": LanguageModel(*speaker("bert")),
    }


@pytest.fixture(scope="module")
def folders(models: dict[str, LanguageModel], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    made = {}
    for verb, lm in models.items():
        folder = tmp_path_factory.mktemp(verb)
        lm.save(folder)
        made[verb] = str(folder)
    return made


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    return capsys.readouterr().err


def test_a_text_alone(
    models: dict[str, LanguageModel], folders: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEXTS[0]
    for verb in ("classify", "tag"):
        found = getattr(models[verb], verb)(text)
        shown = said(capsys, verb, folders[verb], text, "--json")
        assert json.loads(shown) == json.loads(json.dumps(found.to_dict()))
    best = models["classify"].classify(text)
    assert said(capsys, "classify", folders["classify"], text).splitlines()[1].split() == [
        best.label,
        f"{best.score:.4g}",
    ]
    first = models["tag"].tag(text).entities[0]
    shown = said(capsys, "tag", folders["tag"], text)
    assert shown.splitlines()[1].startswith(first.text)
    answer = models["answer"].answer("Who?", text)
    question = ("--question", "Who?")
    assert json.loads(said(capsys, "answer", folders["answer"], text, *question, "--json")) == answer.to_dict()
    assert f"{answer.start} to {answer.end}" in said(capsys, "answer", folders["answer"], text, *question)
    vector = json.loads(said(capsys, "embed", folders["embed"], text, "--json", "--pooling", "first"))["vector"]
    assert vector == models["embed"].embed([text], pooling="first")[0].tolist()
    written = models["translate"].generate("say: " + text, max_tokens=6, temperature=0)
    words = ("--max-tokens", "6", "--before", "say: ")
    assert said(capsys, "translate", folders["translate"], text, *words) == written.text + "\n"


@pytest.mark.parametrize("verb", ["classify", "tag", "answer", "translate", "summarize", "embed"])
def test_a_file_to_a_file(
    verb: str, folders: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    role = {"answer": "context", "translate": "source", "summarize": "source"}.get(verb, "text")
    rows = "".join(json.dumps({"question": "Who?", "body": text}) + "\n" for text in [*TEXTS, " "])
    (tmp_path / "in.jsonl").write_text(rows)
    arguments = [
        verb,
        folders["translate" if verb == "summarize" else verb],
        str(tmp_path / "in.jsonl"),
        str(tmp_path / "out.csv"),
        "--column",
        f"{role}=body",
    ]
    arguments += ["--before", "say: ", "--max-tokens", "6"] if verb in ("translate", "summarize") else []
    done = json.loads(said(capsys, *arguments, "--json"))
    assert (done["rows"], done["skipped"], done["first_skipped"]) == (4, {f"no {role}": 1}, {f"no {role}": 4})
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0].startswith("question,body,")
    assert lines[0].endswith(",skipped")
    assert "4 were there already" in said(capsys, *arguments)


def test_what_is_a_file_and_what_a_text(
    folders: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = folders["classify"]
    assert "is a file: name the one to write" in refused(capsys, "classify", model, "rows.jsonl")
    (tmp_path / "text").write_text("A text.")
    assert "is a file" in refused(capsys, "classify", model, str(tmp_path / "text"))
    assert "predicted_label" not in said(capsys, "classify", model, "It is not in rows.jsonl")
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXTS[1]))
    piped = said(capsys, "classify", model)
    assert piped == said(capsys, "classify", model, TEXTS[1])
    monkeypatch.setattr(sys, "stdin", io.StringIO(" "))
    assert "There is no text" in refused(capsys, "classify", model)
    assert main(["classify", model, str(tmp_path / "none.jsonl"), str(tmp_path / "out.jsonl")]) == 1
    assert "There is no file or folder" in capsys.readouterr().err


def test_wrong_options(folders: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.jsonl").write_text('{"txt": "a"}\n')
    source, output = str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl")
    assert main(["classify", folders["classify"], source, output]) == 1
    assert "has no column 'text': it has 'txt'. Did you mean 'txt'? Name the one" in capsys.readouterr().err
    assert "write --column text=review" in refused(
        capsys, "classify", folders["classify"], source, output, "--column", "txt"
    )
    assert "--question" in refused(capsys, "answer", folders["answer"], "A text.")
    assert "leave --question out" in refused(capsys, "answer", folders["answer"], source, output, "--question", "Who?")
    assert "Did you mean 'mean'" in refused(capsys, "embed", folders["embed"], "A text.", "--pooling", "meen")
    assert "classifies no texts" in refused(capsys, "classify", folders["embed"], source, output)
