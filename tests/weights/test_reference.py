"""Model references: folders that are there, and clear words about everything else. The tests are offline."""

from pathlib import Path

import pytest
from huggingface_hub import constants

from trivium.errors import UnavailableError, UsageError
from trivium.weights.reference import model_folder


def test_a_folder_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_folder(tmp_path) == model_folder(str(tmp_path)) == tmp_path
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path)
    assert model_folder("run") == Path("run")


@pytest.mark.parametrize("reference", ["./absent", "a/b/c", "~/absent-folder", "no such name", ""])
def test_a_path_that_is_not_there_is_refused(reference: str) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        model_folder(reference)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(UsageError, match="is a file"):
        model_folder(tmp_path / "model.safetensors")


@pytest.mark.parametrize("reference", ["someone/some-model", "absent-folder"])
def test_a_hub_id_offline_and_not_in_the_cache(reference: str) -> None:
    with pytest.raises(UnavailableError, match=r"no folder '.*' here.* not in the cache"):
        model_folder(reference)


def test_a_hub_id_in_the_cache_is_found_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    commit = "0" * 40
    snapshot = tmp_path / "models--someone--some-model" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text(commit)
    assert model_folder("someone/some-model") == snapshot
