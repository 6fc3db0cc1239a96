"""`trivium generate` for each family: what stands on stdout, what is said beside it, and what is refused."""

import io
import json
from pathlib import Path

import pytest
import torch

from tests.decode.tiny import speaker
from trivium.cli.generate import generate
from trivium.cli.main import main
from trivium.language_model import LanguageModel, load


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    made = {}
    for family in ("bert", "gpt2", "t5"):
        folder = tmp_path_factory.mktemp(family)
        LanguageModel(*speaker(family)).save(folder)
        made[family] = str(folder)
    return made


def run(*arguments: str) -> int:
    return main(["generate", *arguments], {"generate": generate})


def test_a_decoder_continues(folders: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folders["gpt2"], "The cat", "--max-tokens", "12", "--temperature", "0") == 0
    shown = capsys.readouterr()
    model, words = speaker("gpt2")
    assert shown.out == LanguageModel(model, words).generate("The cat", max_tokens=12, temperature=0).text + "\n"
    assert shown.err.startswith("decoding: greedy, max_tokens=12\n")
    assert "12 tokens in" in shown.err
    assert "ended by length" in shown.err


def test_the_seed_that_was_drawn_is_printed_and_gives_the_text_again(
    folders: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["The cat", "--max-tokens", "12", "--temperature", "1", "--json"]
    assert run(folders["gpt2"], *options) == 0
    first = json.loads(capsys.readouterr().out)
    assert run(folders["gpt2"], *options, "--seed", str(first["decoding"]["seed"])) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] == first["tokens"]


def test_streaming_prints_the_same(folders: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    options = [folders["gpt2"], "The cat", "--max-tokens", "20", "--temperature", "1", "--seed", "4", "--stop", "e"]
    assert run(*options) == 0
    whole = capsys.readouterr().out
    assert run(*options, "--stream") == 0
    assert capsys.readouterr().out == whole


def test_a_file_of_prompts(folders: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.jsonl").write_text('{"prompt": "The cat"}\n{"prompt": ""}\n')
    files, options = (
        (str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl")),
        ("--max-tokens", "5", "--temperature", "1"),
    )
    assert run(folders["gpt2"], *files, *options, "--json") == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == {"no prompt": 1}
    [first, _] = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    said = LanguageModel(*speaker("gpt2")).generate("The cat", max_tokens=5, temperature=1.0, seed=0)
    assert first["completion"] == said.text
    assert run(folders["gpt2"], *files, *options) == 0
    assert "2 were there already" in capsys.readouterr().out
    for wrong in ("--stream", "--chat=Hi"):
        assert run(folders["gpt2"], *files, wrong) == 2
    assert run(folders["gpt2"], files[0]) == 2
    assert "is a file: name the one to write" in capsys.readouterr().err


def test_a_chat_goes_through_the_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lm = LanguageModel(*speaker("gpt2"))
    lm.save(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    options = ["--max-tokens", "6", "--temperature", "0"]
    assert run(str(tmp_path), "--chat", "The cat", "--system", "Be brief", *options) == 0
    said = capsys.readouterr().out
    talk = [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "The cat"}]
    again = load(tmp_path)
    assert said == again.chat(talk, max_tokens=6, temperature=0).text + "\n"
    assert (
        again.chat(talk[1:], max_tokens=6, temperature=0).tokens != again.chat(talk, max_tokens=6, temperature=0).tokens
    )
    assert run(str(tmp_path), "--chat", "The cat", "--system", "Be brief", "--stream", *options) == 0
    assert capsys.readouterr().out == said


def test_an_encoder_fills_its_masks(folders: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folders["bert"], "The [MASK] sat.", "--top-k", "2") == 0
    assert capsys.readouterr().out.count("%") == 2
    assert run(folders["bert"], "The [MASK] sat.", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["masks"][0]) == 5


def test_an_encoder_decoder_answers_or_fills_its_gaps(
    folders: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folders["t5"], "The cat", "--max-tokens", "5", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["tokens"]) == 5
    assert run(folders["t5"], "The <extra_id_0> sat.", "--max-tokens", "5", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["spans"]) == 1
    assert document["decoding"]["max_tokens"] == 5


def test_the_prompt_may_come_on_standard_input(
    folders: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(folders["gpt2"], "The cat", "--max-tokens", "5") == 0
    typed = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO("The cat"))
    assert run(folders["gpt2"], "--max-tokens", "5") == 0
    assert capsys.readouterr().out == typed
    assert run(folders["gpt2"], "--max-tokens", "5") == 2, "it is read to its end"
    assert "standard input is empty" in capsys.readouterr().err


@pytest.mark.parametrize("stream", [(), ("--stream",)])
def test_control_characters_reach_no_terminal(
    stream: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, words = speaker("gpt2")
    [escape] = words.encode("\x1b")
    with torch.no_grad():  # a model that says nothing else
        model.decoder.final_norm.weight.zero_()
        model.decoder.final_norm.bias.copy_(model.tokens.weight[escape] * 100)
    LanguageModel(model, words).save(tmp_path)
    assert run(str(tmp_path), "The", "--max-tokens", "3", *stream) == 0
    assert capsys.readouterr().out == "\\x1b\\x1b\\x1b\n"


def test_what_the_folder_asks_for_in_vain_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LanguageModel(*speaker("gpt2")).save(tmp_path)
    path = tmp_path / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_beams": 4}))
    assert run(str(tmp_path), "The", "--max-tokens", "3") == 0
    assert "num_beams=4, which Trivium does not do" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("family", "arguments", "said"),
    [
        ("gpt2", ["The", "--stream", "--json"], "choose one"),
        ("gpt2", ["The", "--chat", "The"], "give one of the two"),
        ("gpt2", ["The", "--system", "Be brief"], "there is no --chat"),
        ("gpt2", ["--chat", "The"], "no chat template"),
        ("bert", ["--chat", "The"], "Only a decoder holds a conversation"),
        ("gpt2", ["The", "--temperature", "-1"], "temperature is -1.0, but must be a number of at least 0"),
        ("gpt2", ["The", "--dtype", "float"], "no dtype 'float'"),
        ("bert", ["The [MASK]", "--temperature", "0.5"], "so --temperature cannot apply"),
        ("bert", ["The [MASK]", "--stream"], "so --stream cannot apply"),
        ("bert", ["The cat"], "There is no [MASK] in the text"),
        ("t5", ["The <extra_id_0>", "--stream"], "leave out --stream"),
    ],
)
def test_wrong_use_is_refused(
    family: str, arguments: list[str], said: str, folders: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folders[family], *arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.splitlines()[-1].startswith("error: ")
    assert not shown.out


def test_a_reference_that_is_nothing_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("./absent", "The") == 2
    assert "does not exist" in capsys.readouterr().err
    assert run("absent/model", "The") == 1
    assert "not in the cache" in capsys.readouterr().err
