"""`trivium export`: its table, its JSON, and what it refuses."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from tests.adapt.adapters import adapted
from tests.decode.tiny import speaker
from trivium import export as module
from trivium.adapt.lora import Lora
from trivium.adapt.peft_folder import save_adapter
from trivium.cli.export import export
from trivium.cli.main import main
from trivium.language_model import LanguageModel
from trivium.weights.folder import load_folder


@pytest.fixture
def model(tmp_path: Path) -> str:
    LanguageModel(*speaker("gpt2")).save(tmp_path / "model")
    return str(tmp_path / "model")


def run(*arguments: str) -> int:
    return main(["export", *arguments], {"export": export})


def test_a_table_says_what_was_checked(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(model, "--to", str(out), "--dtype", "bfloat16", "--shard-gb", "0.00002") == 0
    shown = capsys.readouterr()
    lines = [line.split() for line in shown.out.splitlines()]
    assert lines[0] == ["check", "value", "bound", "passed"]
    assert [line[-1] for line in lines[1:]] == ["yes"] * 8
    assert shown.err.startswith(f"{out}: hf, bfloat16, ")
    assert (out / "model.safetensors.index.json").is_file()


def test_json_is_the_last_line(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(model, "--to", str(tmp_path / "m.gguf"), "--format", "gguf", "--json") == 0
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (content["form"], content["dtype"], content["parity"]["passed"]) == ("gguf", "float16", True)
    assert content["bytes"] == (tmp_path / "m.gguf").stat().st_size


def test_a_rejected_export_fails_loudly(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LanguageModel.save

    def save(self: LanguageModel, folder: Path, max_shard_bytes: int | None = None) -> None:
        real(self, folder, max_shard_bytes)
        weights = load_file(folder / "model.safetensors")
        weights["transformer.h.0.mlp.c_fc.weight"].zero_()
        save_file(weights, folder / "model.safetensors")

    monkeypatch.setattr(module.LanguageModel, "save", save)
    assert run(model, "--to", str(tmp_path / "out")) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("error: The model in its new form does not say what it said before: the largest logit")
    assert "out.rejected" in shown.err
    assert not shown.out
    assert not (tmp_path / "out").exists()


def test_what_is_there_is_replaced_only_by_force(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [model, "--to", str(tmp_path / "out")]
    assert run(*arguments) == 0
    assert run(*arguments) == 2
    assert "replace it with --force" in capsys.readouterr().err
    assert run(*arguments, "--force") == 0
    assert run(*arguments, "--force", "--format", "onnx") == 2
    assert "There is no form 'onnx'" in capsys.readouterr().err


def test_an_adapter_is_merged(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_adapter(tmp_path / "adapter", adapted(load_folder(Path(model)), Lora()), model)
    out = tmp_path / "out"
    assert run(str(tmp_path / "adapter"), "--to", str(out)) == 2
    assert "With --merge it is written as one model" in capsys.readouterr().err
    assert run(str(tmp_path / "adapter"), "--to", str(out), "--merge") == 0
    assert (out / "model.safetensors").is_file()
    assert run(str(tmp_path / "adapter"), "--to", str(out), "--merge", "--base", model, "--force") == 0
