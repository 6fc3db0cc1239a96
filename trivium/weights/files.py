"""Where tensors come from: the files of weights in a folder, their names and shapes known before a tensor is read.

    model.safetensors, or the parts that model.safetensors.index.json names
    pytorch_model.bin, or the parts that pytorch_model.bin.index.json names: only where there is no safetensors

A `.bin` is a pickle, which may hold a program. It is read by torch's own reader of tensors and nothing else
(`weights_only`), which refuses such a file before anything of it runs.
"""

__all__ = ["SavedWeights", "Weights", "open_weights"]

import json
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from trivium.errors import ModelError

_SAFETENSORS, _BIN, _INDEX = "model.safetensors", "pytorch_model.bin", ".index.json"
#: Pages of a mapped file count as memory until it is closed: it is opened anew after this share of it is read.
_MAPPED_SHARE = 1 / 8


@runtime_checkable
class Weights(Protocol):
    """Tensors by their published names. `where` says in a message whose they are."""

    @property
    def where(self) -> str:
        """The folder or file."""
        ...

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Every name with its shape, known without reading."""
        ...

    def read(self, name: str) -> Tensor:
        """One tensor; whoever keeps it sees to it that it is no view of a file."""
        ...


class SavedWeights:
    """The weights of a folder, in one file or several. Each name is in one of them."""

    def __init__(self, folder: Path, files: list[Path]) -> None:
        self.where = str(folder)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._file_of: dict[str, Path] = {}
        self._open: tuple[Path, _Safetensors | _Pickled] | None = None
        for path in files:
            # The largest first: while little else is there, one that is cast or transposed is there twice.
            for name, shape in sorted(self._file(path).shapes().items(), key=lambda item: -math.prod(item[1])):
                if name in self.shapes:
                    raise ModelError(
                        f"'{name}' is in {self._file_of[name].name} and in {path.name} of {folder}, and no file says "
                        "which counts: the parts are not of one model. Fetch it again."
                    )
                self.shapes[name], self._file_of[name] = shape, path

    def read(self, name: str) -> Tensor:
        """One tensor; those of one file are best read together. One of a `.bin` is a view of the mapped file."""
        return self._file(self._file_of[name]).read(name)

    def maps(self, tensor: Tensor, name: str) -> bool:
        """Whether a tensor, made of the one of that name that was read last, still stands in the file's own pages."""
        file = self._file(self._file_of[name])
        return isinstance(file, _Pickled) and file.maps(tensor, name)

    def _file(self, path: Path) -> "_Safetensors | _Pickled":
        if self._open is None or self._open[0] != path:
            self._open = None  # the one before is closed first
            self._open = path, (_Safetensors(path) if path.suffix == ".safetensors" else _Pickled(path))
        return self._open[1]


def open_weights(folder: Path) -> SavedWeights:
    """The weights of a folder; safetensors where both kinds are there.

    Raises `ModelError` where there are none, where an index is not whole or names a file that is absent or outside the
    folder, and for a file that is not whole or is no file of tensors.
    """
    for name in (_SAFETENSORS, _BIN):
        if (folder / name).is_file():
            return SavedWeights(folder, [folder / name])
        if (folder / (name + _INDEX)).is_file():
            return SavedWeights(folder, _parts(folder, name + _INDEX))
    raise ModelError(
        f"{folder} holds neither {_SAFETENSORS} nor {_SAFETENSORS}{_INDEX}, nor an older {_BIN}: there are no weights "
        "to load."
    )


class _Safetensors:
    def __init__(self, path: Path) -> None:
        try:
            # Read, not mapped: mapped pages would count beside every tensor that is cast or transposed.
            self._file: Any = safe_open(path, framework="pt", backend="pread")
        except SafetensorError as error:
            raise _not_whole(path, error) from error

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(self._file.get_slice(name).get_shape()) for name in self._file.keys()}  # noqa: SIM118

    def read(self, name: str) -> Tensor:
        tensor: Tensor = self._file.get_tensor(name)
        return tensor


class _Pickled:
    def __init__(self, path: Path) -> None:
        self._path, self._mapped_bytes = path, 0
        self._limit = int(path.stat().st_size * _MAPPED_SHARE)
        self._tensors = _unpickled(path)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self._tensors.items()}

    def read(self, name: str) -> Tensor:
        if self._mapped_bytes > 0 and self._mapped_bytes + self._tensors[name].nbytes > self._limit:
            self._tensors, self._mapped_bytes = {}, 0
            self._tensors = _unpickled(self._path)
        tensor = self._tensors[name]
        self._mapped_bytes += tensor.nbytes
        return tensor

    def maps(self, tensor: Tensor, name: str) -> bool:
        return tensor.untyped_storage().data_ptr() == self._tensors[name].untyped_storage().data_ptr()


def _unpickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a pickle, mapped. Files from before 2020 are no archive and cannot be mapped."""
    try:
        with path.open("rb") as stream:
            archive = stream.read(2) == b"PK"
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} asks for more than tensors: {_first_line(error)} Such a file can hold a program, so it was "
            "refused and nothing of it was run. Ask its maker for safetensors."
        ) from error
    except Exception as error:  # the reader of a damaged pickle may stumble over anything
        raise _not_whole(path, error) from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]  # as trainers of the time wrapped it
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in content.items()
    ):
        raise ModelError(f"{path} holds other things than tensors by name: it is no file of weights.")
    return dict(content)


def _parts(folder: Path, index: str) -> list[Path]:
    try:
        content = json.loads((folder / index).read_text(encoding="utf-8"))
        names = sorted(set(content["weight_map"].values()))
        outside = [name for name in names if Path(name).name != name or "\\" in name or name in ("", "..")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{folder / index} is no index of weight files ({error!r}): it may be truncated. Fetch it again."
        ) from error
    if outside:
        raise ModelError(
            f"{folder / index} names '{outside[0]}', which is not a file beside it: an index may name nothing else."
        )
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        raise ModelError(f"{folder} lacks {', '.join(absent)}, which {index} names. Fetch the model again.")
    return [folder / name for name in names]


def _not_whole(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path} is not whole ({_first_line(error)}): it is truncated or altered. Fetch it again.")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
