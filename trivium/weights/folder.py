"""A model's folder in Hugging Face's layout: config.json and model.safetensors, read and written.

`files` says where tensors come from, `fill` checks them and puts them into their places.
"""

__all__ = ["load_folder", "published_config", "read_architecture", "save_folder"]

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from trivium.architecture import Architecture
from trivium.families.registry import architecture_of_config, family_named
from trivium.families.tasks import as_held, published, without_prefix
from trivium.files import atomic_write, storage_errors
from trivium.model import Transformer
from trivium.weights.config import read_config
from trivium.weights.files import open_weights
from trivium.weights.fill import fill
from trivium.weights.fresh import FreshHead, starting_architecture, with_fresh_head
from trivium.weights.names import Entry, entries, to_stored

_CONFIG, _WEIGHTS, _INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"


def read_architecture(folder: Path) -> Architecture:
    """The architecture that a folder's config.json describes."""
    return architecture_of_config(read_config(folder))


def save_folder(
    folder: Path,
    model: Transformer,
    tokens: Mapping[str, int | None] | None = None,
    extra: Mapping[str, Any] | None = None,
    max_shard_bytes: int | None = None,
) -> None:
    """Write config.json and model.safetensors. `tokens` are ids for the config: bos_token_id, …

    With `max_shard_bytes`, weights of more bytes go into several files with an index, as Hugging Face does: a tensor is
    never cut, so one that is larger has a file of its own. Each file appears whole. Tied tensors are written once.
    """
    family = published(family_named(model.architecture.family), model.architecture)
    config = published_config(model, tokens, extra)
    table = entries(model, family)
    if without_prefix(model.architecture):
        table = tuple(replace(entry, stored=entry.stored.removeprefix(family.prefix)) for entry in table)
    _save_weights(folder, model, table, max_shard_bytes)
    atomic_write(folder / _CONFIG, json.dumps(config, indent=2) + "\n")


def published_config(
    model: Transformer, tokens: Mapping[str, int | None] | None = None, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The fields of the config.json that describes this model."""
    family = published(family_named(model.architecture.family), model.architecture)
    return {
        "model_type": family.model_type,
        "architectures": [family.classes],
        **{name: value for name, value in (tokens or {}).items() if value is not None},
        **family.write_config(model.architecture),  # last: RoBERTa's pad_token_id says where its positions begin
        **(extra or {}),
        "dtype": str(next(model.parameters()).dtype).removeprefix("torch."),
    }


def load_folder(
    folder: Path,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    task: FreshHead | None = None,
) -> Transformer:
    """Build the model that config.json describes and fill it. Kept in the weights' own precision unless told.

    With a `task`, its body under a new head, the start of a fine-tuning; what else the file holds is left out.

    Raises `ModelError` as `open_weights` and `fill` do: for weights that are absent, not whole, no numbers, or not of
    this config.
    """
    config, weights = read_config(folder), open_weights(folder)
    architecture = architecture_of_config(config) if task is None else starting_architecture(config)
    model = fill(as_held(architecture, weights.shapes), weights, dtype, device)
    return model if task is None else with_fresh_head(model, config, task)


def _save_weights(
    folder: Path, model: Transformer, table: tuple[Entry, ...], max_shard_bytes: int | None = None
) -> None:
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    shards = _shards(table, parameters, max_shard_bytes)
    many = len(shards) > 1
    names = [f"model-{n:05}-of-{len(shards):05}.safetensors" for n in range(1, len(shards) + 1)] if many else [_WEIGHTS]
    asides = [folder / f".{name}.partial" for name in names]
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for aside, shard in zip(asides, shards, strict=True):
                aside.touch()
                mode = aside.stat().st_mode  # save_file's own would let nobody else read
                save_file(
                    {entry.stored: to_stored(entry, parameters).cpu() for entry in shard}, aside, {"format": "pt"}
                )
                aside.chmod(mode)
                with aside.open("rb+") as stream:
                    os.fsync(stream.fileno())
            for aside, name in zip(asides, names, strict=True):
                aside.replace(folder / name)
        finally:
            for aside in asides:
                aside.unlink(missing_ok=True)
    if many:
        weight_map = {entry.stored: name for shard, name in zip(shards, names, strict=True) for entry in shard}
        total = sum(parameters[ours].nbytes for entry in table for ours in entry.ours)
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
        atomic_write(folder / _INDEX, json.dumps(index, indent=2) + "\n")
    for old in {folder / _INDEX, *folder.glob("model-*-of-*.safetensors"), folder / _WEIGHTS}:
        if old.name not in names and not (many and old.name == _INDEX):
            old.unlink(missing_ok=True)  # of weights that stood here before


def _shards(
    table: tuple[Entry, ...], parameters: Mapping[str, torch.Tensor], max_shard_bytes: int | None
) -> list[list[Entry]]:
    """The tensors in their order, a new file where the next one would make it too large."""
    shards: list[list[Entry]] = [[]]
    filled = 0
    for entry in table:
        size = sum(parameters[name].nbytes for name in entry.ours)
        if max_shard_bytes is not None and shards[-1] and filled + size > max_shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(entry)
        filled += size
    return shards
