"""Where tensors come from: shapes before tensors, older files without their programs, and indexes that lead nowhere."""

import json
import pickle
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trivium.errors import ModelError
from trivium.weights.files import SavedWeights, Weights, open_weights

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}


class Malicious:
    """A pickle that leaves a file behind when it is read by pickle's own reader."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.victim,)


def assert_tensors(weights: SavedWeights) -> None:
    assert weights.shapes == {"a": (2, 3), "b": (4,)}
    for name, tensor in TENSORS.items():
        assert torch.equal(weights.read(name), tensor)
        assert weights.read(name).dtype == tensor.dtype


def test_both_kinds_of_file_give_names_shapes_and_tensors(tmp_path: Path) -> None:
    for kind in ("new", "old"):
        (tmp_path / kind).mkdir()
    save_file(TENSORS, tmp_path / "new" / "model.safetensors")
    torch.save(TENSORS, tmp_path / "old" / "pytorch_model.bin")
    for kind in ("new", "old"):
        weights = open_weights(tmp_path / kind)
        assert isinstance(weights, Weights)
        assert weights.where == str(tmp_path / kind)
        assert_tensors(weights)


def test_a_file_from_before_archives_is_read(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    assert_tensors(open_weights(tmp_path))


def test_a_trainers_wrapping_is_taken_off(tmp_path: Path) -> None:
    torch.save({"state_dict": TENSORS}, tmp_path / "pytorch_model.bin")
    assert_tensors(open_weights(tmp_path))


def test_tensors_that_share_memory_and_views_are_read_whole(tmp_path: Path) -> None:
    table = torch.arange(12.0).reshape(3, 4)
    torch.save({"x": table, "y": table, "turned": table.T}, tmp_path / "pytorch_model.bin")
    weights = open_weights(tmp_path)
    assert torch.equal(weights.read("x"), weights.read("y"))
    assert torch.equal(weights.read("turned"), table.T)


def test_reading_goes_on_over_several_openings(tmp_path: Path) -> None:
    """A mapped file is opened anew every so often; what was read before stays as it was."""
    many = {f"t{number:02}": torch.full((50, 50), float(number)) for number in range(40)}
    torch.save(many, tmp_path / "pytorch_model.bin")
    weights = open_weights(tmp_path)
    read = {name: weights.read(name) for name in weights.shapes}
    assert all(torch.equal(read[name], tensor) for name, tensor in many.items())


def test_what_stands_in_the_pages_of_a_file_is_known(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "pytorch_model.bin")
    save_file(TENSORS, tmp_path / "new.safetensors")
    old, new = open_weights(tmp_path), SavedWeights(tmp_path, [tmp_path / "new.safetensors"])
    tensor = old.read("a")
    assert old.maps(tensor, "a")
    assert old.maps(tensor[1:], "a")
    assert not old.maps(tensor.clone(), "a")
    assert not new.maps(new.read("a"), "a")


def test_the_largest_come_first(tmp_path: Path) -> None:
    save_file({"small": torch.ones(2), "large": torch.ones(9), "middle": torch.ones(4)}, tmp_path / "model.safetensors")
    assert list(open_weights(tmp_path).shapes) == ["large", "middle", "small"]


def test_safetensors_are_preferred(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "model.safetensors")
    (tmp_path / "pytorch_model.bin").write_bytes(b"not even opened")
    assert_tensors(open_weights(tmp_path))


def test_no_weights_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds neither model\.safetensors nor .* nor an older pytorch_model\.bin"):
        open_weights(tmp_path)


# ---- pickles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["archive", "old", "bare", "inside"])
def test_a_pickle_with_a_program_is_refused_and_nothing_of_it_runs(form: str, tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "pytorch_model.bin"
    content = {"a": torch.ones(2), "b": Malicious(victim)} if form == "inside" else Malicious(victim)
    if form == "bare":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form != "old")
    with pytest.raises(ModelError) as caught:
        open_weights(tmp_path)
    assert not victim.exists()
    assert "nothing of it was run" in str(caught.value) or "is not whole" in str(caught.value)
    if form != "bare":
        assert "asks for more than tensors" in str(caught.value)
    # The same file is dangerous: pickle's own reader runs it.
    with path.open("rb") as stream:
        data = zipfile.ZipFile(stream).read("pytorch_model/data.pkl") if form in {"archive", "inside"} else None
    if form in {"archive", "bare"}:
        pickle.loads(path.read_bytes() if data is None else data)
        assert victim.exists()


@pytest.mark.parametrize("content", [[torch.ones(2)], {"a": 1.0}, {"a": {"b": torch.ones(1)}}, torch.ones(3)])
def test_a_pickle_of_other_things(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="other things than tensors by name"):
        open_weights(tmp_path)


@pytest.mark.parametrize("keep", [0, 1, 10, 0.5, 0.99])
@pytest.mark.parametrize("archive", [True, False])
def test_a_pickle_that_was_cut(archive: bool, keep: float, tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.ones(1000)}, path, _use_new_zipfile_serialization=archive)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if keep < 1 else int(keep)])
    with warnings.catch_warnings(), pytest.raises(ModelError, match=r"truncated or altered|more than tensors"):
        open_weights(tmp_path)


# ---- indexes -------------------------------------------------------------------------------------------------------


def index(folder: Path, parts: dict[str, str], name: str = "model.safetensors.index.json") -> Path:
    (folder / name).write_text(json.dumps({"metadata": {}, "weight_map": parts}))
    return folder


def test_parts_of_both_kinds(tmp_path: Path) -> None:
    for name, tensor in TENSORS.items():
        torch.save({name: tensor}, tmp_path / f"pytorch_model-{name}.bin")
    index(tmp_path, {name: f"pytorch_model-{name}.bin" for name in TENSORS}, "pytorch_model.bin.index.json")
    assert_tensors(open_weights(tmp_path))


@pytest.mark.parametrize("outside", ["../secret.safetensors", "/etc/passwd", "sub/part.safetensors", "..", "", "a\\b"])
def test_an_index_may_name_only_files_beside_it(outside: str, tmp_path: Path) -> None:
    (tmp_path / "model" / "sub").mkdir(parents=True)
    for place in ("secret.safetensors", "model/sub/part.safetensors"):
        save_file(TENSORS, tmp_path / place)
    with pytest.raises(ModelError, match=r"which is not a file beside it"):
        open_weights(index(tmp_path / "model", {"a": outside}))


def test_a_part_that_is_absent_is_named(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "one.safetensors")
    with pytest.raises(ModelError, match=r"lacks two\.safetensors, which model\.safetensors\.index\.json names"):
        open_weights(index(tmp_path, {"a": "one.safetensors", "b": "two.safetensors"}))


def test_a_tensor_in_two_parts_is_named(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "one.safetensors")
    save_file({"b": TENSORS["b"]}, tmp_path / "two.safetensors")
    with pytest.raises(ModelError, match=r"'b' is in one\.safetensors and in two\.safetensors"):
        open_weights(index(tmp_path, {"a": "one.safetensors", "b": "two.safetensors"}))
