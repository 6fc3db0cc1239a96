"""A model's folder in Hugging Face's layout: config.json and model.safetensors, read and written.

Reading checks every name and shape before a tensor is loaded. Nothing is unpickled.
"""

__all__ = ["load_folder", "read_architecture", "save_folder"]

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from trivium.architecture import Architecture
from trivium.errors import ModelError
from trivium.families.registry import architecture_of_config, family_named
from trivium.files import atomic_write, storage_errors
from trivium.model import Transformer
from trivium.weights.names import entries, from_stored, ignored_names, tied_names, to_stored

_CONFIG, _WEIGHTS, _INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
#: What norms were called in the files of 2018, BERT's own among them.
_OLD_SUFFIXES = {".gamma": ".weight", ".beta": ".bias"}


def read_architecture(folder: Path) -> Architecture:
    """The architecture that a folder's config.json describes."""
    path = folder / _CONFIG
    if not path.is_file():
        raise ModelError(f"{folder} holds no {_CONFIG}, so it is not a model's folder.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is not JSON ({error}): it may be truncated. Fetch the model again.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds {type(config).__name__}, and a config is an object of fields.")
    return architecture_of_config(config)


def save_folder(
    folder: Path,
    model: Transformer,
    tokens: Mapping[str, int | None] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write config.json and model.safetensors. `tokens` are ids for the config: bos_token_id, …

    Each file appears whole. Tied tensors are written once.
    """
    family = family_named(model.architecture.family)
    parameters = dict(model.named_parameters())
    weights = {entry.stored: to_stored(entry, parameters).detach() for entry in entries(model, family)}
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    config = {
        "model_type": family.model_type,
        "architectures": [family.classes],
        **family.write_config(model.architecture),
        **{name: value for name, value in (tokens or {}).items() if value is not None},
        **(extra or {}),
        "dtype": dtype,
    }
    aside = folder / f".{_WEIGHTS}.partial"
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _save(weights, aside)
            aside.replace(folder / _WEIGHTS)
        finally:
            aside.unlink(missing_ok=True)
    atomic_write(folder / _CONFIG, json.dumps(config, indent=2) + "\n")


def load_folder(
    folder: Path, dtype: torch.dtype | None = None, device: torch.device | str | None = None
) -> Transformer:
    """Build the model that config.json describes and fill it. Kept in the weights' own precision unless told.

    Raises `ModelError` for a missing, unexpected or misshapen tensor, for two that should be one and differ, and for a
    file that is not whole.
    """
    architecture = read_architecture(folder)
    family = family_named(architecture.family)
    files = _weight_files(folder)
    with torch.device("meta"):
        model = Transformer(architecture)
    shapes = dict(model.named_parameters())
    where = {name: path for path in files for name in _names(path)}
    published = {_published(name, family.prefix, where): name for name in where}

    wanted = {entry.stored: entry for entry in entries(model, family)}
    tied, ignored = tied_names(model, family), ignored_names(family, model)
    missing = sorted(set(wanted) - set(published))
    unexpected = sorted(n for n in set(published) - set(wanted) - set(tied) if not ignored.fullmatch(n))
    if missing or unexpected:
        raise ModelError(_mismatch(folder, family.name, missing, unexpected))

    state: dict[str, torch.Tensor] = {}
    twins: dict[str, torch.Tensor] = {}
    for path in files:
        with safe_open(path, framework="pt", device=str(device or "cpu")) as weights:
            for stored, name in published.items():
                if where[name] != path:
                    continue
                if stored in wanted:
                    for ours, tensor in from_stored(wanted[stored], weights.get_tensor(name), shapes):
                        state[ours] = tensor.to(dtype or tensor.dtype).contiguous()
                elif stored in tied:
                    twins[stored] = weights.get_tensor(name)
    for stored, tensor in twins.items():
        if not torch.equal(tensor.to(dtype or tensor.dtype), state[tied[stored]]):
            raise ModelError(
                f"In {folder}, '{stored}' is another name of a tensor that this {family.name} holds only once, and its "
                "values differ. The config and the weights are not of the same model."
            )
    return _filled(architecture, state, device)


def _filled(
    architecture: Architecture, state: dict[str, torch.Tensor], device: torch.device | str | None
) -> Transformer:
    # Built without memory, then given real tensors: no second copy of the weights exists.
    with torch.device("meta"):
        model = Transformer(architecture)
    model.load_state_dict(state, strict=False, assign=True)
    if model.head is not None and architecture.head is not None and architecture.head.tied:
        model.head.projection.weight = model.tokens.weight
    return model.to(device or "cpu").eval()


def _save(weights: Mapping[str, torch.Tensor], path: Path) -> None:
    save_file({name: tensor.cpu() for name, tensor in weights.items()}, path, {"format": "pt"})
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _weight_files(folder: Path) -> list[Path]:
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    if (folder / _INDEX).is_file():
        try:
            index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
            files = [folder / name for name in sorted(set(index["weight_map"].values()))]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{folder / _INDEX} is no index of weight files ({error!r}): it may be truncated. Fetch it again."
            ) from error
        absent = [path.name for path in files if not path.is_file()]
        if absent:
            raise ModelError(f"{folder} lacks {', '.join(absent)}, which {_INDEX} names. Fetch the model again.")
        return files
    raise ModelError(f"{folder} holds neither {_WEIGHTS} nor {_INDEX}: there are no weights to load.")


def _names(path: Path) -> list[str]:
    try:
        with safe_open(path, framework="pt") as weights:
            return list(weights.keys())
    except SafetensorError as error:
        raise ModelError(f"{path} is not whole ({error}): it is truncated or altered. Fetch it again.") from error


def _published(name: str, prefix: str, names: Mapping[str, Path]) -> str:
    # Files of the bare model leave the prefix out.
    whole = name if not prefix or any(other.startswith(prefix) for other in names) else prefix + name
    stem, dot, suffix = whole.rpartition(".")
    return stem + _OLD_SUFFIXES.get(dot + suffix, dot + suffix)


def _mismatch(folder: Path, family: str, missing: list[str], unexpected: list[str]) -> str:
    def some(names: list[str]) -> str:
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    parts = [f"lacks {some(missing)}"] if missing else []
    parts += [f"holds {some(unexpected)}, which nothing reads"] if unexpected else []
    return f"The file of weights in {folder} does not fit its config of a {family}: it {' and '.join(parts)}."
