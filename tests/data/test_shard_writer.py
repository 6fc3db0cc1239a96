from pathlib import Path

import pytest

from trivium.data.shard_writer import ShardWriter
from trivium.errors import StorageError
from trivium.text.tokenizer import Tokenizer


def test_nothing_is_written_before_a_shard_is_closed(tmp_path: Path, bpe: Tokenizer) -> None:
    writer = ShardWriter(tmp_path / "shards", bpe, None)
    writer.add(["the fox", "the dog"])
    assert not (tmp_path / "shards").exists()
    writer.close_shard()
    assert sorted(file.name for file in (tmp_path / "shards").iterdir()) == [
        "00000.documents",
        "00000.json",
        "00000.tokens",
    ]
    assert (writer.documents, writer.bytes, writer.pending_bytes) == (2, 14, 0)
    writer.close_shard()  # of nothing: no shard
    assert len(writer.shards) == 1


def test_a_place_that_cannot_be_written(tmp_path: Path, bpe: Tokenizer) -> None:
    (tmp_path / "shards").write_text("a file in the way")
    writer = ShardWriter(tmp_path / "shards" / "key", bpe, None)
    writer.add(["the fox"])
    with pytest.raises(StorageError, match="Cannot write"):
        writer.close_shard()
