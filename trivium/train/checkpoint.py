"""Checkpoints: what a killed run needs to continue to the same bits, in a folder that is whole or absent.

    checkpoint-<step>/
        model.safetensors        every weight and buffer, under the model's own names
        optimizer.safetensors    every running mean and counter, as <weight>.<quantity>
        state.json               the loop's state, and the identity of the run it belongs to
        manifest.json            size and SHA-256 of the three: a change of one byte is noticed

Nothing is pickled, so that opening a checkpoint runs no code. There is no random state: draws are functions of the seed
and the step.
"""

__all__ = ["Checkpoints", "checkpoint_folders", "identity_difference", "latest", "model_tensors"]

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trivium.errors import CheckpointError
from trivium.files import atomic_folder, sha256_of
from trivium.train.optimizer import Optimizer
from trivium.train.state import TrainState

_MODEL, _OPTIMIZER, _STATE, _MANIFEST = "model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"


def checkpoint_folders(run_folder: Path) -> list[Path]:
    """The whole checkpoints of a run, by step. A folder without a manifest is a part of one, and left out."""
    found = {
        int(folder.name.removeprefix("checkpoint-")): folder
        for folder in run_folder.glob("checkpoint-*")
        if folder.name.removeprefix("checkpoint-").isdecimal() and (folder / _MANIFEST).is_file()
    }
    return [found[step] for step in sorted(found)]


def latest(run_folder: Path) -> Path | None:
    """The checkpoint a run continues from, or None where there is none."""
    folders = checkpoint_folders(run_folder)
    return folders[-1] if folders else None


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of the run in `run_folder`.

    `identity` is plain data that decides the run's weights (settings, architecture, data): a checkpoint of a run with
    another identity is refused. The last `keep_last` stay, and with `keep_best` the one of the lowest validation loss.
    """

    run_folder: Path
    identity: Mapping[str, Any]
    keep_last: int = 2
    keep_best: bool = True

    def save(self, model: nn.Module, optimizer: Optimizer, state: TrainState) -> Path:
        """Write the checkpoint of `state.step`, then remove those that need not stay.

        Raises `StorageError` on a full disk; the checkpoints before it are whole then.
        """
        folder = self.run_folder / f"checkpoint-{state.step}"
        with atomic_folder(folder) as aside:
            save_file(_plain(model_tensors(model)), aside / _MODEL)
            save_file(_plain(optimizer.state_dict()), aside / _OPTIMIZER)
            content = {"state": state.to_dict(), "identity": dict(self.identity)}
            (aside / _STATE).write_text(json.dumps(content, indent=1))
            manifest = {
                name: {"bytes": (aside / name).stat().st_size, "sha256": sha256_of(aside / name)}
                for name in (_MODEL, _OPTIMIZER, _STATE)
            }
            (aside / _MANIFEST).write_text(json.dumps(manifest, indent=1))
        self._remove_old()
        return folder

    def load(self, folder: Path, model: nn.Module, optimizer: Optimizer) -> TrainState:
        """Put the weights and the optimizer's state of `folder` in place, and return the loop's state.

        Raises `CheckpointError` where a file is truncated, altered or missing, or the checkpoint is of another run;
        nothing was put in place then.
        """
        content = self.load_weights(folder, model)
        device = next(model.parameters()).device
        optimizer.load_state_dict(load_file(folder / _OPTIMIZER, device=str(device)))
        return TrainState.from_dict(content["state"])

    def load_weights(self, folder: Path, model: nn.Module) -> dict[str, Any]:
        """Put the weights of `folder` alone in place, and return what is written beside them. Raises as `load`."""
        self._verify(folder)
        content: dict[str, Any] = json.loads((folder / _STATE).read_text())
        difference = identity_difference(content["identity"], self.identity)
        if difference:
            raise CheckpointError(
                f"{folder} is a checkpoint of another run: {difference}. Train into another folder, or with the same "
                "project file as before."
            )
        device = next(model.parameters()).device
        stored, here = load_file(folder / _MODEL, device=str(device)), model_tensors(model)
        if {n: t.shape for n, t in stored.items()} != {n: t.shape for n, t in here.items()}:
            odd = sorted(stored.keys() ^ here.keys()) or [n for n in here if here[n].shape != stored[n].shape]
            raise CheckpointError(
                f"{folder / _MODEL} holds another model: its '{odd[0]}' does not fit. Train into another folder."
            )
        with torch.no_grad():
            for name, tensor in here.items():
                tensor.copy_(stored[name])
        return content

    def _verify(self, folder: Path) -> None:
        try:
            manifest = json.loads((folder / _MANIFEST).read_text())
            expected = {
                name: (manifest[name]["bytes"], manifest[name]["sha256"]) for name in (_MODEL, _OPTIMIZER, _STATE)
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(self._damaged(folder, _MANIFEST, "cannot be read")) from error
        for name, (size, digest) in expected.items():
            path = folder / name
            if not path.is_file():
                raise CheckpointError(self._damaged(folder, name, "is missing"))
            if path.stat().st_size != size:
                found = path.stat().st_size
                raise CheckpointError(self._damaged(folder, name, f"has {found:,} bytes and was written with {size:,}"))
            if sha256_of(path) != digest:
                raise CheckpointError(
                    self._damaged(folder, name, "was altered after it was written: its SHA-256 differs")
                )

    def _damaged(self, folder: Path, name: str, what: str) -> str:
        before = [other for other in checkpoint_folders(self.run_folder) if _step(other) < _step(folder)]
        way_out = f"the run continues from {before[-1].name}" if before else "the run starts anew"
        return (
            f"The checkpoint file {folder / name} {what}. Delete the folder {folder} and run the same again: {way_out}."
        )

    def _remove_old(self) -> None:
        folders = checkpoint_folders(self.run_folder)
        keep = set(folders[-self.keep_last :])
        losses = {folder: loss for folder in folders if (loss := _validation_loss(folder)) is not None}
        if self.keep_best and losses:
            keep.add(min(losses, key=lambda folder: losses[folder]))
        for folder in folders:
            if folder not in keep:
                # Renamed first: a removal that is interrupted leaves nothing that looks like a checkpoint.
                shutil.rmtree(folder.rename(folder.with_name(f".{folder.name}.removed")), ignore_errors=True)


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Every weight and persistent buffer of a model, each once: a tied one under its first name."""
    once: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        once.setdefault(id(tensor), (name, tensor))
    return dict(once.values())


def identity_difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """The first place where two identities differ, in words, or None. A tuple equals a list, as it does in a file."""
    return _difference(*(json.loads(json.dumps(dict(identity))) for identity in (there, here)))


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("checkpoint-"))


def _validation_loss(folder: Path) -> float | None:
    try:
        return TrainState.from_dict(json.loads((folder / _STATE).read_text())["state"]).validation_loss_here
    except (OSError, ValueError, KeyError, TypeError):
        return None  # damaged: loading it says so, pruning need not


def _difference(there: Any, here: Any, name: str = "") -> str | None:
    """The first place where two pieces of plain data differ, in words, or None."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted(there.keys() | here.keys()):
            found = _difference(there.get(key), here.get(key), f"{name}.{key}" if name else str(key))
            if found:
                return found
        return None
    return None if there == here else f"{name} is {there!r} there and {here!r} here"
