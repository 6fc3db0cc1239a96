"""Token shards: a source tokenized once, on the disk, and mapped into memory ever after.

    <folder>/<key>/00000.tokens       the ids of the documents, one after the other, uint16 or uint32
                   00000.documents    per document: tokens, bytes of text, hash of the text
                   00000.json         how many of each, and the SHA-256 of both files
                   ...                a shard for every 16 MB of text
                   meta.json          written last: the shards, the source and the tokenizer they were made of

The key is made of the fingerprints of source and tokenizer, so that neither can change unnoticed. Each shard appears
whole or not at all; a build that was killed continues after the last whole one.

The ids are those of the text alone: objectives add special tokens. A held-out part is a view on the same files: a
document is in it when the hash of its text is small. So it stays there when the corpus grows or changes its order,
and copies of a document are all on one side.

Letters: D documents, N tokens of a document.
"""

__all__ = ["Shards", "build_shards", "is_held_out"]

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int, UInt64

from trivium.data.shard_writer import PER_DOCUMENT, REBUILD, Built, ShardWriter, check_shard, digest
from trivium.data.sources import Source
from trivium.errors import DataError
from trivium.files import atomic_write
from trivium.text.tokenizer import Tokenizer

_FORMAT: Final = 1
_SHARD_BYTES: Final = 16_000_000
_BATCHES_PER_SHARD: Final = 16  # what the library encodes in one call, and what one progress report is about


class Shards:
    """The tokens of a corpus's documents, or of a part of them.

    `positions` are the numbers of the documents that belong to it, in the order of the source.
    """

    def __init__(self, folder: Path, meta: dict[str, Any], positions: Int[np.ndarray, "D"] | None = None) -> None:
        self.folder = folder
        self.meta = meta
        names = [shard["name"] for shard in meta["shards"]]
        # As plain arrays over the mapped files: a slice of a memmap costs more than reading it.
        self._tokens = [
            np.asarray(np.memmap(folder / f"{name}.tokens", dtype=meta["dtype"], mode="r"))
            if shard["tokens"]
            else np.zeros(0)
            for name, shard in zip(names, meta["shards"], strict=True)
        ]
        table = [np.fromfile(folder / f"{name}.documents", dtype=PER_DOCUMENT) for name in names]
        self._table = np.concatenate(table)
        self._first = np.cumsum([0, *(len(part) for part in table)])
        self._starts = np.concatenate([np.cumsum(part["tokens"]) - part["tokens"] for part in table])
        self._positions = np.arange(len(self._table)) if positions is None else positions

    def __repr__(self) -> str:
        return f"Shards({self.documents:,} documents, {self.tokens:,} tokens, {self.bytes:,} bytes of {self.source})"

    # ---- the documents ------------------------------------------------------------------------------------------

    @property
    def documents(self) -> int:
        """How many documents."""
        return len(self._positions)

    @cached_property
    def lengths(self) -> Int[np.ndarray, "D"]:
        """Tokens of each document."""
        return np.ascontiguousarray(self._table["tokens"][self._positions])

    @cached_property
    def digests(self) -> UInt64[np.ndarray, "D"]:
        """The first 8 bytes of the BLAKE2b hash of each document's text."""
        return np.ascontiguousarray(self._table["digest"][self._positions])

    @cached_property
    def tokens(self) -> int:
        """Tokens of all documents."""
        return int(self.lengths.sum())

    @cached_property
    def bytes(self) -> int:
        """UTF-8 bytes of the documents' text: nats per token times tokens, over bytes and ln 2, is bits per byte."""
        return int(self._table["bytes"][self._positions].sum())

    @cached_property
    def duplicates(self) -> int:
        """Documents whose very text stood in the corpus before."""
        return self.documents - len(np.unique(self.digests))

    def document(self, index: int) -> Int[np.ndarray, "N"]:
        """The ids of a document, without special tokens."""
        return self.slice(index, 0, int(self.lengths[index]))

    def slice(self, index: int, start: int, stop: int) -> Int[np.ndarray, "N"]:
        """The ids from `start` to `stop` of a document; only they are read."""
        position = int(self._positions[index])
        shard = int(np.searchsorted(self._first, position, side="right")) - 1
        begin = int(self._starts[position])
        end = begin + int(self._table["tokens"][position])
        return self._tokens[shard][min(begin + start, end) : min(begin + stop, end)].astype(np.int64)

    # ---- parts --------------------------------------------------------------------------------------------------

    def held_out(self, share: float) -> "Shards":
        """The documents whose hash is below `share` of its range: about that share of them, always the same ones."""
        return self._where(self.digests < _threshold(share))

    def training(self, share: float) -> "Shards":
        """The documents that `held_out(share)` leaves."""
        return self._where(self.digests >= _threshold(share))

    def distinct(self) -> "Shards":
        """Each text once: its first document."""
        first = np.unique(self.digests, return_index=True)[1]
        return Shards(self.folder, self.meta, self._positions[np.sort(first)])

    def _where(self, chosen: np.ndarray) -> "Shards":
        return Shards(self.folder, self.meta, self._positions[chosen])

    # ---- what it is ---------------------------------------------------------------------------------------------

    @property
    def source(self) -> str:
        """What the source was called."""
        return str(self.meta["source"])

    @property
    def vocabulary(self) -> int:
        """Number of ids of the tokenizer."""
        return int(self.meta["vocabulary"])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what the files hold and of which documents of them are meant."""
        sums = json.dumps([shard["sha256"] for shard in self.meta["shards"]])
        return hashlib.sha256(sums.encode() + self._positions.tobytes()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Counts and origin."""
        counts = ("documents", "tokens", "bytes", "duplicates", "source", "vocabulary", "fingerprint")
        return {name: getattr(self, name) for name in counts}

    @classmethod
    def open(cls, folder: Path, verify: bool = True) -> "Shards":
        """Open a folder that `build_shards` made, and compare its files with their checksums.

        Raises `DataError` where a file is missing, truncated or altered. `verify=False` looks at sizes only.
        """
        file = folder / "meta.json"
        try:
            meta = json.loads(file.read_text())
        except FileNotFoundError as error:
            raise DataError(f"There are no token shards in {folder}: meta.json is missing. Build them.") from error
        except ValueError as error:
            raise DataError(f"{file} is not JSON: {error}. {REBUILD}") from error
        if meta.get("format") != _FORMAT:
            raise DataError(f"{file} is of format {meta.get('format')}, and this Trivium reads {_FORMAT}. {REBUILD}")
        for shard in meta["shards"]:
            check_shard(folder, shard, verify)
        return cls(folder, meta)


def build_shards(
    source: Source,
    tokenizer: Tokenizer,
    folder: Path,
    progress: Callable[[Built], None] | None = None,
    shard_bytes: int = _SHARD_BYTES,
) -> Shards:
    """Tokenize a source into shards below `folder`, or open those that are there.

    The `tokenizers` library encodes a batch on all cores, so there is no pool of processes. `progress` is called after
    each batch and once at the end. A shard that a killed build left is kept if it is whole.

    Raises `DataError` as the source and the tokenizer do.
    """
    key = hashlib.sha256(f"{_FORMAT} {source.fingerprint} {tokenizer.fingerprint}".encode()).hexdigest()[:16]
    place = folder / key
    if (place / "meta.json").is_file():
        return Shards.open(place)
    writer = ShardWriter(place, tokenizer, progress)
    writer.resume()
    for batch in _batches(_skipped(source.documents(), writer.documents), shard_bytes // _BATCHES_PER_SHARD):
        writer.add(batch)
        if writer.pending_bytes >= shard_bytes:
            writer.close_shard()
    writer.close_shard()
    writer.report()
    meta = {
        "format": _FORMAT,
        "source": source.reference,
        "source_fingerprint": source.fingerprint,
        "tokenizer_fingerprint": tokenizer.fingerprint,
        "vocabulary": tokenizer.vocabulary,
        "dtype": writer.dtype.str,
        "shards": writer.shards,
    }
    atomic_write(place / "meta.json", json.dumps(meta, indent=2) + "\n")
    return Shards(place, meta)


def is_held_out(text: str, share: float) -> bool:
    """Whether `Shards.held_out(share)` holds a document of this text: so a tokenizer can be trained on the others."""
    return bool(digest(text.encode()) < _threshold(share))


def _threshold(share: float) -> np.uint64:
    if not 0 <= share < 1:
        raise DataError(f"A held-out share is between 0 and 1, not {share}.")
    return np.uint64(int(share * 2**64))


def _skipped(documents: Iterator[str], count: int) -> Iterator[str]:
    for number, text in enumerate(documents):
        if number >= count:
            yield text


def _batches(documents: Iterator[str], limit_bytes: int) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in documents:
        batch.append(text)
        size += len(text)
        if size >= limit_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
