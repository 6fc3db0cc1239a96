"""Checkpoints: whole or absent, every altered byte noticed, another run refused, old ones removed."""

import json
import resource
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.train.tiny import KINDS, batch, build
from trivium.errors import CheckpointError, StorageError
from trivium.train.checkpoint import Checkpoints, checkpoint_folders, identity_difference, latest, model_tensors
from trivium.train.loss import head_loss
from trivium.train.optimizer import Optimizer, build_optimizer
from trivium.train.settings import TrainSettings
from trivium.train.state import TrainState
from trivium.train.step_memory import StepMemory
from trivium.train.validation import Validation
from trivium.train.watch import LossWatch

SETTINGS = TrainSettings(steps=10)
IDENTITY = {"train": SETTINGS.trajectory(), "data": "abc"}
FILES = ("model.safetensors", "optimizer.safetensors", "state.json", "manifest.json")


def trained(kind: str = "decoder", seed: int = 0) -> tuple[torch.nn.Module, Optimizer]:
    """A model after one step, and its optimizer."""
    model = build(kind, seed)
    optimizer = build_optimizer(model, SETTINGS)
    head_loss(model, batch(kind, 0)).loss_sum.backward()
    optimizer.step(1.0)
    return model, optimizer


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "run", IDENTITY)


@pytest.mark.parametrize("kind", [*KINDS, "llama"])
def test_there_and_back(kind: str, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, IDENTITY)
    example = "decoder" if kind == "llama" else kind
    model = build(kind)
    optimizer = build_optimizer(model, SETTINGS)
    head_loss(model, batch(example, 0)).loss_sum.backward()
    optimizer.step(1.0)
    memory = StepMemory(weights=40, gradients=40, optimizer=80, rest=9)
    state = TrainState(
        step=7,
        tokens=100,
        targets=30,
        seconds=1.5,
        between_seconds=0.5,
        memory=memory,
        peak_memory_bytes=700,
        loss=2.25,
        validation=Validation(2.5, 10, 40),
        validated_step=6,
        best_validation_loss=2.5,
        watch=LossWatch(2.3, 2.2, 1),
    )
    checkpoints.save(model, optimizer, state)
    other = build(kind, seed=1)
    other_optimizer = build_optimizer(other, SETTINGS)
    assert checkpoints.load(latest(tmp_path), other, other_optimizer) == state
    for name, tensor in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    assert other_optimizer.state_dict().keys() == optimizer.state_dict().keys()
    for name, tensor in optimizer.state_dict().items():
        assert torch.equal(other_optimizer.state_dict()[name], tensor)


def test_a_tied_weight_is_stored_once() -> None:
    names = model_tensors(build("decoder"))
    assert "tokens.weight" in names
    assert "head.projection.weight" not in names
    assert "head.projection.weight" in model_tensors(build("llama"))


def test_before_the_first_step(checkpoints: Checkpoints) -> None:
    """The optimizer has no state yet."""
    model = build()
    optimizer = build_optimizer(model, SETTINGS)
    folder = checkpoints.save(model, optimizer, TrainState())
    assert checkpoints.load(folder, model, optimizer) == TrainState()


@pytest.mark.parametrize("name", FILES)
def test_truncated(checkpoints: Checkpoints, name: str) -> None:
    model, optimizer = trained()
    checkpoints.save(model, optimizer, TrainState(step=1))
    folder = checkpoints.save(model, optimizer, TrainState(step=2))
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError) as error:
        checkpoints.load(folder, model, optimizer)
    assert str(folder / name) in str(error.value)
    assert f"Delete the folder {folder}" in str(error.value)
    assert "continues from checkpoint-1" in str(error.value)


@pytest.mark.parametrize("name", FILES)
def test_missing(checkpoints: Checkpoints, name: str) -> None:
    model, optimizer = trained()
    folder = checkpoints.save(model, optimizer, TrainState(step=2))
    (folder / name).unlink()
    if name == "manifest.json":
        assert latest(checkpoints.run_folder) is None
    with pytest.raises(CheckpointError, match=r"(is missing|cannot be read).* the run starts anew"):
        checkpoints.load(folder, model, optimizer)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoints, Path]:
    checkpoints = Checkpoints(tmp_path_factory.mktemp("run"), IDENTITY)
    return checkpoints, checkpoints.save(*trained(), TrainState(step=3))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(FILES), bit=st.integers(0, 7))
def test_a_flipped_bit(
    whole: tuple[Checkpoints, Path], tmp_path: Path, data: st.DataObject, name: str, bit: int
) -> None:
    """Anywhere in any file (in the manifest: in a digest): it is refused, and the model is as it was."""
    checkpoints, folder = whole
    altered = tmp_path / "run" / folder.name
    shutil.rmtree(altered, ignore_errors=True)
    shutil.copytree(folder, altered)
    content = bytearray((altered / name).read_bytes())
    places = range(len(content))
    if name == "manifest.json":
        digests = [f["sha256"].encode() for f in json.loads(content).values()]
        places = [content.index(digest) + i for digest in digests for i in range(64)]
    content[data.draw(st.sampled_from(places))] ^= 1 << bit
    (altered / name).write_bytes(content)
    model, optimizer = trained(seed=5)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    with pytest.raises(CheckpointError, match=str(altered)):
        replace(checkpoints, run_folder=tmp_path / "run").load(altered, model, optimizer)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


def test_of_another_run(checkpoints: Checkpoints) -> None:
    model, optimizer = trained()
    folder = checkpoints.save(model, optimizer, TrainState(step=2))
    other = TrainSettings(steps=10, learning_rate=0.5)
    with pytest.raises(CheckpointError, match=r"another run: train.learning_rate is 0.001 there and 0.5 here"):
        replace(checkpoints, identity={**IDENTITY, "train": other.trajectory()}).load(folder, model, optimizer)
    with pytest.raises(CheckpointError, match=r"data is 'abc' there and None here"):
        replace(checkpoints, identity={"train": SETTINGS.trajectory()}).load(folder, model, optimizer)


def test_of_another_model(checkpoints: Checkpoints) -> None:
    folder = checkpoints.save(*trained("decoder"), TrainState(step=2))
    with pytest.raises(CheckpointError, match="holds another model: its '"):
        checkpoints.load(folder, *trained("encoder"))


def test_identities() -> None:
    assert identity_difference({"a": (1, 2)}, {"a": [1, 2]}) is None
    assert identity_difference({"a": {"b": 1}}, {"a": {"b": 1, "c": None}}) is None
    assert identity_difference({"a": {"b": 1}}, {"a": {"b": 2}}) == "a.b is 1 there and 2 here"


def test_the_last_and_the_best_stay(tmp_path: Path) -> None:
    model, optimizer = trained()
    losses = {1: 3.0, 2: 1.0, 3: 2.0, 4: 2.5, 5: None, 6: 2.2}
    for keep_best, expected in ((True, [2, 5, 6]), (False, [5, 6])):
        run = tmp_path / str(keep_best)
        checkpoints = Checkpoints(run, IDENTITY, keep_last=2, keep_best=keep_best)
        for step, loss in losses.items():
            state = TrainState(step=step)
            checkpoints.save(model, optimizer, state if loss is None else state.with_validation(Validation(loss, 1)))
        assert [folder.name for folder in checkpoint_folders(run)] == [f"checkpoint-{step}" for step in expected]
        assert sorted(path.name for path in run.iterdir()) == sorted(f"checkpoint-{step}" for step in expected)


def test_partial_folders_are_skipped(checkpoints: Checkpoints) -> None:
    whole_folder = checkpoints.save(*trained(), TrainState(step=2))
    for name in ("checkpoint-9", "checkpoint-x", ".checkpoint-12.77.partial", "checkpoint-"):
        (checkpoints.run_folder / name).mkdir()
    assert latest(checkpoints.run_folder) == whole_folder


def test_steps_are_numbers_not_words(checkpoints: Checkpoints) -> None:
    for step in (9, 10):
        checkpoints.save(*trained(), TrainState(step=step))
    assert latest(checkpoints.run_folder).name == "checkpoint-10"


def fails_and_leaves_the_earlier(checkpoints: Checkpoints, message: str) -> None:
    model, optimizer = trained()
    before = sorted(checkpoints.run_folder.iterdir())
    with pytest.raises(StorageError, match=message):
        checkpoints.save(model, optimizer, TrainState(step=2))
    assert sorted(checkpoints.run_folder.iterdir()) == before
    assert checkpoints.load(latest(checkpoints.run_folder), model, optimizer) == TrainState(step=1)


def test_a_file_larger_than_allowed(checkpoints: Checkpoints) -> None:
    checkpoints.save(*trained(), TrainState(step=1))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        fails_and_leaves_the_earlier(checkpoints, "larger than this system allows.*Raise the limit")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_a_full_disk(tmp_path: Path) -> None:
    """On a real file system with room for one checkpoint and not for two."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(tensor.nbytes for tensor in build().parameters()) * 3 * 3 // 2
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small file system")
    try:
        checkpoints = Checkpoints(disk / "run", IDENTITY)
        checkpoints.save(*trained(), TrainState(step=1))
        fails_and_leaves_the_earlier(checkpoints, "disk is full.*Free some space")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_nothing_is_pickled(checkpoints: Checkpoints) -> None:
    folder = checkpoints.save(*trained(), TrainState(step=1))
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    json.loads((folder / "state.json").read_text())
