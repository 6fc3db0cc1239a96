"""A GGUF file: one header of metadata and tensor entries, then the tensors' bytes. Read here; written by `write_file`.

    "GGUF" version ── tensors, metadata: counts ── key type value ... ── name shape type offset ... ── aligned bytes

The layout is that of ggml's specification, versions 2 and 3, little-endian. The header comes from strangers: every
count and length is held against the bytes that are there before anything is made of it. The numbers of a tensor are
read and dequantized by the `gguf` library's functions.
"""

__all__ = ["GgufFile", "GgufTensor", "open_gguf", "write_file"]

import math
import mmap
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType
from torch import Tensor

from trivium.errors import ModelError
from trivium.files import storage_errors

_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_SCALARS: Final = {
    GGUFValueType.UINT8: "B",
    GGUFValueType.INT8: "b",
    GGUFValueType.UINT16: "H",
    GGUFValueType.INT16: "h",
    GGUFValueType.UINT32: "I",
    GGUFValueType.INT32: "i",
    GGUFValueType.FLOAT32: "f",
    GGUFValueType.BOOL: "?",
    GGUFValueType.UINT64: "Q",
    GGUFValueType.INT64: "q",
    GGUFValueType.FLOAT64: "d",
}
#: The types of numbers that are read: plain ones, the old blocks of 32, and the K-quants' blocks of 256.
_READ: Final = tuple(
    GGMLQuantizationType[name]
    for name in ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
)
_MOST_DIMENSIONS: Final = 4
_AT_ONCE: Final = 1 << 20  # numbers dequantized together: bounds what is there twice


@dataclass(frozen=True)
class GgufTensor:
    """One entry: the type of its numbers, its shape (rows first, as in torch), and where its bytes stand."""

    kind: GGMLQuantizationType
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True)
class GgufFile:
    """A file whose header is read and makes sense. Metadata are numbers, texts, truths, and lists of these."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, GgufTensor]

    @property
    def architecture(self) -> str:
        """What llama.cpp calls the family; the first part of the names of its metadata."""
        return str(self.metadata.get("general.architecture"))

    def read(self, name: str) -> Tensor:
        """One tensor as float32, in memory of its own, row after row. Raises `ModelError` for a type not read."""
        entry = self.tensors[name]
        if entry.kind not in _READ:
            known = ", ".join(kind.name for kind in _READ)
            raise ModelError(f"'{name}' in {self.path} is of the type {entry.kind.name}; Trivium reads {known}.")
        numbers = np.empty(math.prod(entry.shape), dtype=np.float32)
        block, width = GGML_QUANT_SIZES[entry.kind]
        step = _AT_ONCE // block * block
        with self.path.open("rb") as stream:
            stream.seek(entry.offset)
            for start in range(0, len(numbers), step):
                count = min(step, len(numbers) - start)
                raw = np.fromfile(stream, np.uint8, count // block * width)
                numbers[start : start + count] = gguf.dequantize(raw, entry.kind)
        return torch.from_numpy(numbers).reshape(entry.shape)


def open_gguf(path: Path) -> GgufFile:
    """Read and check a file's header.

    Raises `ModelError` for a file that is not GGUF, of another version, truncated or altered: a length beyond the
    file's end, an unknown type, a name twice, tensors outside the file or over one another.
    """
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Header(path, content).read()
    except (OSError, ValueError) as error:  # mmap: an empty file
        raise ModelError(f"{path} cannot be read as GGUF: {error}.") from error


class _Header:
    """Reads forward through the mapped file; `at` is where it stands."""

    def __init__(self, path: Path, content: mmap.mmap) -> None:
        self.path, self.content, self.at = path, content, 0

    def read(self) -> GgufFile:
        if self.content[:4] != _MAGIC:
            raise ModelError(f"{self.path} is not a GGUF file: it does not begin with 'GGUF'.")
        self.at = 4
        (version,) = self.numbers("I", 1)
        if version not in _VERSIONS:
            order = "big-endian, or " if version & 0xFFFF == 0 else ""
            raise self.error(f"it is {order}of version {version}, and 2 and 3, little-endian, are read")
        tensors, pairs = self.numbers("Q", 2)
        metadata: dict[str, Any] = {}
        for _ in range(self.count(pairs, 13)):
            key = self.text()
            if key in metadata:
                raise self.error(f"it holds '{key}' twice")
            metadata[key] = self.value(self.value_type())
        entries: dict[str, GgufTensor] = {}
        for _ in range(self.count(tensors, 32)):
            name = self.text()
            if name in entries:
                raise self.error(f"it holds the tensor '{name}' twice")
            entries[name] = self.tensor(name)
        return GgufFile(self.path, metadata, self.placed(entries, metadata.get("general.alignment", 32)))

    def tensor(self, name: str) -> GgufTensor:
        (dimensions,) = self.numbers("I", 1)
        if not 0 < dimensions <= _MOST_DIMENSIONS:
            raise self.error(f"'{name}' has {dimensions} dimensions")
        shape = self.numbers("Q", dimensions)[::-1]
        number, offset = self.numbers("IQ", 1)
        try:
            kind = GGMLQuantizationType(number)
        except ValueError:
            raise self.error(f"'{name}' is of the type {number}, which is not known") from None
        block, width = GGML_QUANT_SIZES[kind]
        if 0 in shape or shape[-1] % block:
            raise self.error(f"'{name}' has the shape {shape}, which blocks of {block} numbers cannot fill")
        return GgufTensor(kind, shape, offset, math.prod(shape) // block * width)

    def placed(self, entries: Mapping[str, GgufTensor], alignment: Any) -> dict[str, GgufTensor]:
        """The tensors with offsets from the file's beginning; each inside the file, none over another."""
        if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
            raise self.error(f"its alignment is {alignment!r}, and only powers of two can be")
        end = -(-self.at // alignment) * alignment
        start, placed = end, {}
        for name, entry in sorted(entries.items(), key=lambda item: item[1].offset):
            offset = start + entry.offset
            if offset < end or entry.offset % alignment:
                raise self.error(f"the bytes of '{name}' begin in the middle of another tensor, or unaligned")
            end = offset + entry.size
            if end > len(self.content):
                raise self.error(f"'{name}' ends at byte {end:,}, and the file has {len(self.content):,}")
            placed[name] = GgufTensor(entry.kind, entry.shape, offset, entry.size)
        return placed

    def value_type(self) -> GGUFValueType:
        (number,) = self.numbers("I", 1)
        try:
            return GGUFValueType(number)
        except ValueError:
            raise self.error(f"there is a value of the type {number}, which is not known") from None

    def value(self, kind: GGUFValueType) -> Any:
        if kind is GGUFValueType.STRING:
            return self.text()
        if kind is not GGUFValueType.ARRAY:
            return self.numbers(_SCALARS[kind], 1)[0]
        inner, (length,) = self.value_type(), self.numbers("Q", 1)
        if inner is GGUFValueType.ARRAY:
            raise self.error("it holds a list of lists")
        if inner is GGUFValueType.STRING:
            return [self.text() for _ in range(self.count(length, 8))]
        return list(self.numbers(_SCALARS[inner], length))

    def text(self) -> str:
        (length,) = self.numbers("Q", 1)
        end = self.at + self.count(length, 1)
        try:
            text = str(self.content[self.at : end], "utf-8")
        except UnicodeDecodeError as error:
            raise self.error(f"a text is not UTF-8 ({error.reason})") from None
        self.at = end
        return text

    def numbers(self, letters: str, count: int) -> tuple[Any, ...]:
        """The next `count` numbers, or each of several letters once."""
        size = struct.calcsize(f"<{letters}")
        form = f"<{self.count(count, size)}{letters}" if len(letters) == 1 else f"<{letters}"
        self.count(1, struct.calcsize(form))
        found = struct.unpack_from(form, self.content, self.at)
        self.at += struct.calcsize(form)
        return found

    def count(self, number: int, size: int) -> int:
        """`number`, if so many things of at least `size` bytes can still be in the file."""
        if number * size > len(self.content) - self.at:
            raise self.error(f"{number:,} things are announced, and {len(self.content) - self.at:,} bytes are left")
        return number

    def error(self, problem: str) -> ModelError:
        return ModelError(
            f"{self.path} is not a whole GGUF file: near byte {self.at:,}, {problem}. It is truncated or altered. "
            "Fetch or export it again."
        )


def write_file(
    path: Path,
    architecture: str,
    metadata: Mapping[str, Any],
    tensors: Sequence[tuple[str, tuple[int, ...], GGMLQuantizationType]],
    read: Callable[[str], Tensor],
) -> None:
    """Write a file that appears whole: the tensors in this order, each read, converted and written before the next.

    Metadata of Python's types become bool, uint32, float32, string, and lists of int32, float32 or string.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    writer = gguf.GGUFWriter(aside, architecture)
    for key, value in metadata.items():
        writer.add_key_value(key, value, _type_of(value))
    for name, shape, kind in tensors:
        block, width = GGML_QUANT_SIZES[kind]
        size = math.prod(shape) // block * width
        writer.add_tensor_info(name, shape, np.dtype(np.float32), size, raw_dtype=kind)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            for name, _, kind in tensors:
                writer.write_tensor_data(_converted(read(name), kind))
            writer.close()
            with aside.open("rb+") as stream:
                os.fsync(stream.fileno())
            aside.replace(path)
        finally:
            writer.close()
            aside.unlink(missing_ok=True)


def _type_of(value: Any) -> GGUFValueType:
    match value:
        case bool():
            return GGUFValueType.BOOL
        case int():
            return GGUFValueType.UINT32
        case float():
            return GGUFValueType.FLOAT32
        case str():
            return GGUFValueType.STRING
        case _:
            return GGUFValueType.ARRAY


def _converted(tensor: Tensor, kind: GGMLQuantizationType) -> Any:
    numbers = tensor.detach().to("cpu", torch.float32).contiguous().numpy()
    return gguf.quantize(numbers, kind)
