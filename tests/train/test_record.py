"""run.yaml: there and back, and what it says of where it was made."""

import platform
import subprocess
from pathlib import Path

import pytest
import torch

from trivium.errors import CheckpointError
from trivium.train.precision import Precision
from trivium.train.record import new_record, read_record, write_record
from trivium.train.settings import TrainSettings, parse_settings

SETTINGS = TrainSettings(steps=7, optimizer="muon")


def test_there_and_back(tmp_path: Path) -> None:
    assert read_record(tmp_path) == {}
    record = new_record(SETTINGS, Precision("float32", 1e9))
    write_record(tmp_path, record)
    found = read_record(tmp_path)
    assert found["python"] == platform.python_version()
    assert found["torch"] == str(torch.__version__)
    assert parse_settings(found["settings"]) == SETTINGS
    assert Precision(**found["precision"]) == Precision("float32", 1e9)


def test_git_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit, a mark where files differ from it, and nothing outside a repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert new_record(SETTINGS, Precision("float32"))["git"] is None
    (tmp_path / "file").write_text("1")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (("init", "-q"), ("add", "file"), (*author, "commit", "-q", "-m", "one")):
        subprocess.run(["git", *arguments], check=True)
    commit = new_record(SETTINGS, Precision("float32"))["git"]
    assert len(commit) == 40
    (tmp_path / "file").write_text("2")
    assert new_record(SETTINGS, Precision("float32"))["git"] == f"{commit}+changes"


@pytest.mark.parametrize("content", [b"settings: [", b"\xff\xfe"])
def test_altered(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.yaml").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"run\.yaml cannot be read"):
        read_record(tmp_path)
