"""What a reference stands for: the model, its tokenizer and all that its folder says of how it is used.

a folder, a run folder, a hub id ── model.safetensors and config.json
a .gguf file                     ── both from its own fields
an adapter's folder              ── its base, by the reference that it names, and the adapter on it
"""

__all__ = ["Loaded", "put_on", "read_model", "stamp"]

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from trivium.adapt.peft_folder import adapter_base, is_adapter
from trivium.adapt.put_adapter import put_adapter
from trivium.architecture import SequenceLabels
from trivium.data import catalogue
from trivium.errors import ModelError, TriviumError, UnavailableError, UsageError, nearest
from trivium.model import Transformer
from trivium.tasks.pooling import TextVectors
from trivium.tasks.text_to_text import TextTask, read_tasks
from trivium.text.gguf_vocabulary import read_tokenizer
from trivium.text.tokenizer import Tokenizer
from trivium.weights.folder import load_folder
from trivium.weights.gguf import load_gguf
from trivium.weights.gguf_file import open_gguf
from trivium.weights.reference import model_folder

_CONFIG, _GENERATION_CONFIG, _TOKENIZER = "config.json", "generation_config.json", "tokenizer.json"
#: What older folders have in config.json only.
_IDS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
_MODEL_FILES = (".json", ".safetensors", ".bin", ".gguf", ".jinja")
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Loaded:
    """A model and what goes with it; `LanguageModel` says what each is."""

    model: Transformer
    tokenizer: Tokenizer
    generation_config: Mapping[str, Any] = field(default_factory=dict)
    vectors: TextVectors | None = None
    text_tasks: Mapping[str, TextTask] = field(default_factory=dict)


def read_model(
    reference: str | Path,
    device: torch.device | str | None = None,
    dtype: torch.dtype | str | None = None,
    base: str | Path | None = None,
) -> Loaded:
    """A model by its reference; `trivium.load` says what there is, and what is raised."""
    folder = _located(reference)
    if folder.is_dir() and is_adapter(folder):
        return put_on(_base_of(folder, device, dtype, base), folder)
    if base is not None:
        raise UsageError(f"{reference} is a whole model and no adapter: leave out the base.")
    if (gguf := _gguf_file(folder)) is not None:
        return _read_gguf(gguf, _dtype(dtype), _device(device))
    if not (folder / _CONFIG).is_file() and any(folder.glob("checkpoint-*")):
        raise ModelError(
            f"{folder} holds a run that has not finished: there are checkpoints, but no model yet. Start it again by "
            "the same command; it continues where it was."
        )
    config = _json_of(folder / _CONFIG)
    ids = {name: config[name] for name in _IDS if name in config}
    decoding = {**ids, **_json_of(folder / _GENERATION_CONFIG)}
    model = load_folder(folder, _dtype(dtype), _device(device))
    return Loaded(model, Tokenizer.load(folder), decoding, _vectors(model, folder), read_tasks(config))


def stamp(reference: str | Path) -> str:
    """What is kept of a model's answers is kept under this: it is another where the files behind a reference change.

    Of a file each its name, size and time; the model is not read. Empty where the reference stands for nothing here.
    """
    try:
        place = _located(reference)
    except TriviumError:
        return ""
    files = [place] if place.is_file() else sorted(file for file in place.iterdir() if file.suffix in _MODEL_FILES)
    return "; ".join(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)


def put_on(base: Loaded, folder: Path) -> Loaded:
    """The same model with an adapter, over the same tensors; what stands in the adapter's folder goes first.

    Raises `UsageError` for a base that has an adapter, `ModelError` for one that this adapter is not of.
    """
    model = put_adapter(base.model, folder)
    tokenizer = Tokenizer.load(folder) if (folder / _TOKENIZER).is_file() else base.tokenizer
    if tokenizer.vocabulary > model.architecture.vocab:
        raise ModelError(
            f"The tokenizer in {folder} has {tokenizer.vocabulary:,} tokens, and the base a table of "
            f"{model.architecture.vocab:,} rows: tokens were added, which an adapter of linear layers does not hold."
        )
    decoding = {**base.generation_config, **_json_of(folder / _GENERATION_CONFIG)}
    tasks = {**base.text_tasks, **read_tasks(_json_of(folder / _CONFIG))}
    vectors = _vectors(model, folder) or (None if isinstance(model.architecture.task, SequenceLabels) else base.vectors)
    return Loaded(model, tokenizer, decoding, vectors, tasks)


def _base_of(
    folder: Path, device: torch.device | str | None, dtype: torch.dtype | str | None, base: str | Path | None
) -> Loaded:
    name = adapter_base(folder) if base is None else base
    try:
        place = _located(name)
    except (UsageError, UnavailableError) as error:
        raise ModelError(
            f"{folder} is an adapter of '{name}', and that cannot be had: {error} Say where its base is now: "
            "load(folder, base=...)."
        ) from error
    if place.is_dir() and is_adapter(place):
        raise ModelError(f"{folder} is an adapter of {place}, which is an adapter itself: merge that one first.")
    return read_model(place, device, dtype)


def _vectors(model: Transformer, folder: Path) -> TextVectors | None:
    return None if isinstance(model.architecture.task, SequenceLabels) else TextVectors.read(folder)


def _located(reference: str | Path) -> Path:
    """The folder or `.gguf` file of a reference. What is here goes before the catalogue, and that before the hub."""
    path = Path(reference).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return path
    entry = catalogue.ENTRIES.get(str(reference))
    if entry is not None and entry.kind == "weights" and not path.is_dir():
        return catalogue.get(entry.name)
    return model_folder(reference)


def _gguf_file(place: Path) -> Path | None:
    """The GGUF file that a place is, or holds as its only model."""
    if place.is_file():
        return place
    found = sorted(place.glob("*.gguf"))
    if not found or (place / "config.json").is_file() or any(place.glob("checkpoint-*")):
        return None
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"{place} holds several models: {names}. Give one of these files.")
    return found[0]


def _read_gguf(path: Path, dtype: torch.dtype | None, device: torch.device) -> Loaded:
    file = open_gguf(path)
    tokenizer = read_tokenizer(file.metadata, str(path))
    model = load_gguf(file, dtype, device)
    if tokenizer.vocabulary > model.architecture.vocab:
        raise ModelError(
            f"{path} holds {tokenizer.vocabulary:,} tokens and a table of {model.architecture.vocab:,} rows: the file "
            "was altered. Fetch it again."
        )
    return Loaded(model, tokenizer)


def _dtype(dtype: torch.dtype | str | None) -> torch.dtype | None:
    if not isinstance(dtype, str):
        return dtype
    if dtype not in _DTYPES:
        raise UsageError(f"There is no dtype '{dtype}'.{nearest(dtype, _DTYPES)} There are: {', '.join(_DTYPES)}.")
    return _DTYPES[dtype]


def _device(device: torch.device | str | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        said = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f"The device '{device}' cannot be used here ({said}). `cpu` always can.") from error
    return found


def _json_of(path: Path) -> dict[str, Any]:
    """The fields of a file, none where it is not there."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(
            f"{path} is not JSON ({error}): it may be truncated. Fetch or save the model again."
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds {type(content).__name__}, and a config is an object of fields.")
    return content
