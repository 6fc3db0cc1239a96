"""The metadata of a GGUF file under their checks: what a config is made of.

Sizes are held against the shapes of the tensors that are there, before anything is built of them.
"""

__all__ = ["Fields"]

import math
import re

import numpy as np

from trivium.errors import ModelError
from trivium.weights.gguf_file import GgufFile

_BLOCK = re.compile(r"blk\.(\d+)\.")


class Fields:
    """Reads `<architecture>.<key>` of a file. Everything raises `ModelError`, naming key and file."""

    def __init__(self, file: GgufFile) -> None:
        self.file = file

    def has(self, key: str) -> bool:
        """Whether the file says anything about it."""
        return self._name(key) in self.file.metadata

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number above 0."""
        value = self.file.metadata.get(self._name(key), default)
        if type(value) is not int or value <= 0:
            raise self.error(f"has '{self._name(key)}': {_short(value)}, and needs a whole number above 0")
        return value

    def real(self, key: str, default: float) -> float:
        """A finite number above 0: the shortest decimal that is stored as this float32."""
        value = self.file.metadata.get(self._name(key), default)
        if not isinstance(value, float) or not math.isfinite(value) or value <= 0:
            raise self.error(f"has '{self._name(key)}': {_short(value)}, and needs a number above 0")
        return float(str(np.float32(value)))

    def text(self, key: str, default: str) -> str:
        """A text."""
        value = self.file.metadata.get(self._name(key), default)
        if not isinstance(value, str):
            raise self.error(f"has '{self._name(key)}': {_short(value)}, and needs a text")
        return value

    def shape(self, tensor: str, axes: int = 2) -> tuple[int, ...]:
        """The shape of a tensor that must be there, and have so many axes."""
        if tensor not in self.file.tensors:
            raise self.error(f"lacks the tensor '{tensor}'")
        shape = self.file.tensors[tensor].shape
        if len(shape) != axes:
            raise self.error(f"holds '{tensor}' as {shape}, and {axes} axes are needed")
        return shape

    def size(self, key: str, tensor: str, axis: int) -> int:
        """A whole number that must be the size of a tensor's axis."""
        value, shape = self.whole(key), self.shape(tensor)
        if value != shape[axis]:
            raise self.error(f"has '{self._name(key)}': {value:,}, and holds '{tensor}' as {shape}")
        return value

    def depth(self) -> int:
        """The number of layers: as many as tensors tell of."""
        blocks = {match[1] for name in self.file.tensors if (match := _BLOCK.match(name))}
        depth = self.whole("block_count")
        if depth != len(blocks):
            raise self.error(f"has '{self._name('block_count')}': {depth:,}, and holds tensors of {len(blocks)} layers")
        return depth

    def only(self, key: str, value: int | str) -> None:
        """A field that changes what is computed, with the one value that is covered."""
        if self.file.metadata.get(self._name(key), value) != value:
            said = _short(self.file.metadata[self._name(key)])
            raise self.error(f"has '{self._name(key)}': {said}, and only {value!r} is supported")

    def error(self, problem: str) -> ModelError:
        """The error that says so."""
        return ModelError(
            f"{self.file.path} {problem}: its metadata and tensors are not of one {self.file.architecture} that "
            "Trivium knows, or the file was altered."
        )

    def _name(self, key: str) -> str:
        return f"{self.file.architecture}.{key}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
