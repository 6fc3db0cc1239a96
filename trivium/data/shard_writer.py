"""Write token shards: one whole shard after the other, so that a build that was killed loses one at most."""

__all__ = ["PER_DOCUMENT", "REBUILD", "Built", "ShardWriter", "check_shard", "digest"]

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from trivium.errors import DataError
from trivium.files import atomic_write, sha256_of
from trivium.text.tokenizer import Tokenizer

#: A row of a shard's table of documents: tokens, UTF-8 bytes of the text, first 8 bytes of its BLAKE2b hash.
PER_DOCUMENT: Final = np.dtype([("tokens", "<i8"), ("bytes", "<i8"), ("digest", "<u8")])

#: The way out of every broken shard.
REBUILD: Final = "Delete the folder and build the shards again."


@dataclass(frozen=True)
class Built:
    """How far a build is: what a progress line shows."""

    documents: int
    bytes: int
    tokens: int
    seconds: float


class ShardWriter:
    """Writes one shard after the other; knows what is done."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, progress: Callable[[Built], None] | None) -> None:
        self.folder = folder
        self.tokenizer = tokenizer
        self.progress = progress
        self.dtype = np.dtype("<u2" if tokenizer.vocabulary <= 2**16 else "<u4")
        self.shards: list[dict[str, Any]] = []
        self.documents = self.bytes = self.tokens = self.pending_bytes = 0
        self._ids: list[np.ndarray] = []
        self._rows: list[tuple[int, int, int]] = []
        self._started = time.monotonic()

    def resume(self) -> None:
        """Count in the whole shards of a build that was stopped."""
        while (file := self.folder / f"{len(self.shards):05}.json").is_file():
            try:
                shard = json.loads(file.read_text())
                check_shard(self.folder, shard, verify=True)
            except (ValueError, DataError):  # it is made anew
                return
            self._count(shard)

    def add(self, texts: Sequence[str]) -> None:
        """Tokenize documents and keep them for the shard that is open."""
        for text, ids in zip(texts, self.tokenizer.encode_batch(texts), strict=True):
            data = text.encode()
            self._ids.append(np.asarray(ids, dtype=self.dtype))
            self._rows.append((len(ids), len(data), digest(data)))
            self.pending_bytes += len(data)
        self.report()

    def close_shard(self) -> None:
        """Write the open shard: its two files, then the note that says they are whole."""
        if not self._rows:
            return
        name = f"{len(self.shards):05}"
        table = np.array(self._rows, dtype=PER_DOCUMENT)
        contents = {"tokens": np.concatenate(self._ids).tobytes(), "documents": table.tobytes()}
        for suffix, content in contents.items():
            atomic_write(self.folder / f"{name}.{suffix}", content)
        shard = {
            "name": name,
            "documents": len(table),
            "tokens": int(table["tokens"].sum()),
            "bytes": int(table["bytes"].sum()),
            "sha256": {suffix: hashlib.sha256(content).hexdigest() for suffix, content in contents.items()},
            "sizes": {suffix: len(content) for suffix, content in contents.items()},
        }
        atomic_write(self.folder / f"{name}.json", json.dumps(shard) + "\n")
        self._ids, self._rows, self.pending_bytes = [], [], 0
        self._count(shard)

    def report(self) -> None:
        """Say how far the build is."""
        if self.progress is not None:
            tokens = self.tokens + sum(len(ids) for ids in self._ids)
            done = Built(
                self.documents + len(self._rows),
                self.bytes + self.pending_bytes,
                tokens,
                time.monotonic() - self._started,
            )
            self.progress(done)

    def _count(self, shard: dict[str, Any]) -> None:
        self.shards.append(shard)
        self.documents += shard["documents"]
        self.tokens += shard["tokens"]
        self.bytes += shard["bytes"]


def check_shard(folder: Path, shard: dict[str, Any], verify: bool) -> None:
    """Raise `DataError` where a file of a shard is missing, truncated or, with `verify`, altered."""
    for suffix, size in shard["sizes"].items():
        file = folder / f"{shard['name']}.{suffix}"
        if not file.is_file():
            raise DataError(f"{file} is missing, and meta.json names it. {REBUILD}")
        if file.stat().st_size != size:
            raise DataError(f"{file} is truncated or altered: {file.stat().st_size:,} bytes, not {size:,}. {REBUILD}")
        if verify and sha256_of(file) != shard["sha256"][suffix]:
            raise DataError(f"{file} is altered: its SHA-256 is not the one in meta.json. {REBUILD}")


def digest(data: bytes) -> int:
    """The first 8 bytes of a text's BLAKE2b hash: equal texts have equal ones, and they spread evenly."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
