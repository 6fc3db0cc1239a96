"""A config.json by itself."""

import json
from pathlib import Path

import pytest

from trivium.errors import ModelError, UsageError
from trivium.weights.config import read_config, referenced_config


def test_a_file_and_its_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert read_config(tmp_path) == referenced_config(str(tmp_path / "config.json")) == {"model_type": "bert"}


@pytest.mark.parametrize("content", ["", "{", "[]", "\ud800", "[" * 100_000])
def test_a_file_that_is_no_config(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelError, match=r"config\.json"):
        read_config(path)


def test_weights_in_the_place_of_a_config(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as stream:
        stream.truncate(2**30)  # sparse
    with pytest.raises(ModelError, match="1,073,741,824 bytes, and a config has at most"):
        read_config(path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a model's folder"):
        read_config(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        referenced_config("../nowhere/at/all")
