"""GGUF's container: what the `gguf` library writes is read as it reads it, and nothing that is altered gets through."""

import random
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Type

from trivium.errors import ModelError, StorageError
from trivium.weights.gguf_file import open_gguf, write_file

METADATA = {"a.truth": True, "a.number": 7, "a.real": 0.5, "a.text": "ü", "a.texts": ["x", "", "yz"], "a.list": [1, 2]}
SHAPES = {"one": (5,), "two": (3, 64), "three": (2, 3, 32)}


def tensor(name: str) -> torch.Tensor:
    return torch.randn(SHAPES[name], generator=torch.Generator().manual_seed(len(name)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "x.gguf"
    write_file(written, "some", METADATA, [(name, shape, Type.F32) for name, shape in SHAPES.items()], tensor)
    return written


def test_what_is_written_is_read_and_the_library_reads_the_same(path: Path) -> None:
    file, theirs = open_gguf(path), gguf.GGUFReader(path)
    assert file.architecture == "some"
    assert {key: file.metadata[key] for key in METADATA} == METADATA
    fields = {key: field.contents() for key, field in theirs.fields.items() if not key.startswith("GGUF.")}
    assert fields == dict(file.metadata)
    assert [entry.name for entry in theirs.tensors] == list(file.tensors)
    for entry in theirs.tensors:
        assert torch.equal(file.read(entry.name), tensor(entry.name))
        np.testing.assert_array_equal(entry.data, tensor(entry.name).numpy())
    assert [child.name for child in path.parent.iterdir()] == ["x.gguf"]


@pytest.mark.parametrize("kind", [Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1])
def test_written_types_are_read_back_within_their_precision(kind: Type, tmp_path: Path) -> None:
    numbers = torch.randn(70, 20_032)  # more than are dequantized together
    write_file(tmp_path / "x.gguf", "some", {}, [("x", (70, 20_032), kind)], lambda name: numbers)
    read = open_gguf(tmp_path / "x.gguf").read("x")
    exact = gguf.dequantize(gguf.quantize(numbers.numpy(), kind), kind)
    np.testing.assert_array_equal(read.numpy(), exact)
    step = {Type.F16: 2e-3, Type.BF16: 2e-2, Type.Q8_0: 3e-2}.get(kind, 0.6)
    torch.testing.assert_close(read, numbers, atol=step, rtol=0)


@pytest.mark.parametrize("kind", [Type.Q2_K, Type.Q3_K, Type.Q4_K, Type.Q5_K, Type.Q6_K])
def test_k_quants_are_read_row_by_row_as_the_library_reads_them(kind: Type, tmp_path: Path) -> None:
    """The library quantizes none of them: random blocks, with scales that are numbers."""
    _, width = gguf.GGML_QUANT_SIZES[kind]
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (40, 2 * width), dtype=np.uint8)
    for block in blocks.reshape(-1, width):  # two half-precision scales stand first, or last
        half = rng.normal(size=2).astype(np.float16).view(np.uint8)
        place = {Type.Q2_K: slice(-4, None), Type.Q4_K: slice(0, 4), Type.Q5_K: slice(0, 4)}.get(kind, slice(-2, None))
        block[place] = half[: len(block[place])]
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "some")
    writer.add_tensor("x", blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    read = open_gguf(tmp_path / "x.gguf").read("x")
    assert read.shape == (40, 512)
    assert torch.isfinite(read).all()
    np.testing.assert_array_equal(read.numpy(), gguf.dequantize(blocks, kind))


def test_a_type_that_is_not_read_is_named_with_those_that_are(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "some")
    writer.add_tensor("x", np.zeros(4, dtype=np.int32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match=r"'x' in .* is of the type I32; Trivium reads F32, F16, .*Q6_K"):
        open_gguf(tmp_path / "x.gguf").read("x")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"", "cannot be read as GGUF"),
        (lambda data: b"GGML" + data[4:], "does not begin with 'GGUF'"),
        (lambda data: data[:4] + b"\1\0\0\0" + data[8:], "version 1, and 2 and 3"),
        (lambda data: data[:4] + b"\0\0\0\3" + data[8:], "big-endian"),
        (lambda data: data[:8] + b"\xff" * 8 + data[16:], "things are announced"),
        (lambda data: data[:16] + b"\xff" * 8 + data[24:], "things are announced"),
        (lambda data: data[:24] + b"\xff" * 7 + b"\0" + data[32:], "things are announced"),
        (lambda data: data[:-64], "'three' ends at byte"),
        (lambda data: data[:60], "near byte"),
        (lambda data: data.replace(b"a.number", b"a.truth\0".replace(b"\0", b"\xff")), "not UTF-8"),
        (lambda data: data.replace(b"a.text\x08", b"a.real\x08"), "holds 'a.real' twice"),
    ],
)
def test_an_altered_file_is_refused(change: Callable[[bytes], bytes], said: str, path: Path) -> None:
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ModelError, match=said):
        open_gguf(path)


def test_no_truncation_and_no_flipped_bit_of_the_header_does_anything_but_a_model_error(path: Path) -> None:
    whole = path.read_bytes()
    header = min(entry.offset for entry in open_gguf(path).tensors.values())
    rng = random.Random(0)
    flips = [bytearray(whole) for _ in range(8 * header)]
    for bit, data in enumerate(flips):
        data[bit // 8] ^= 1 << bit % 8
    cuts = [whole[: rng.randrange(len(whole))] for _ in range(50)]
    refused = 0
    for data in [*rng.sample(flips, 600), *cuts]:
        path.write_bytes(data)
        try:
            file = open_gguf(path)
            for name in file.tensors:
                file.read(name)
        except ModelError:
            refused += 1
    assert refused > 300


def test_tensors_may_not_lie_over_one_another(path: Path) -> None:
    data = path.read_bytes()
    at = data.index(b"two") + 3 + 4 + 16 + 4  # name, axes, shape, type
    assert int.from_bytes(data[at : at + 8], "little") == 32
    path.write_bytes(data[:at] + bytes(8) + data[at + 8 :])
    with pytest.raises(ModelError, match="in the middle of another tensor"):
        open_gguf(path)


def test_a_place_that_cannot_be_written_is_named_and_nothing_stays(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(StorageError):
        write_file(path / "below.gguf", "some", {}, [], tensor)
    with pytest.raises(ZeroDivisionError):
        write_file(path, "some", {}, [("one", (5,), Type.F32)], lambda name: 1 // 0)  # type: ignore[arg-type, return-value]
    assert path.read_bytes() == before
    assert [child.name for child in path.parent.iterdir()] == ["x.gguf"]
