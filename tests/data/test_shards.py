import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.data.shard_writer import Built
from trivium.data.shards import Shards, build_shards
from trivium.data.sources import Source, open_source
from trivium.errors import DataError
from trivium.text.tokenizer import Tokenizer
from trivium.text.training import train_tokenizer

TEXTS = [f"the fox number {number} is quick, 日本 {'and lazy ' * (number % 7)}" for number in range(200)]


def _source(folder: Path, texts: list[str], name: str = "rows.jsonl") -> Source:
    file = folder / name
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return open_source(file)


@pytest.fixture
def built(tmp_path: Path, bpe: Tokenizer) -> Shards:
    return build_shards(_source(tmp_path, TEXTS), bpe, tmp_path / "shards", shard_bytes=2000)


def test_documents_are_their_tokens(built: Shards, bpe: Tokenizer) -> None:
    assert built.documents == 200
    for number, text in enumerate(TEXTS):
        assert bpe.decode(built.document(number).tolist()) == text
    assert built.lengths.tolist() == [len(ids) for ids in bpe.encode_batch(TEXTS)]
    assert built.tokens == built.lengths.sum()
    assert built.bytes == sum(len(text.encode()) for text in TEXTS)


def test_there_are_many_shards_and_small_ids(built: Shards) -> None:
    assert len(built.meta["shards"]) > 3
    assert built.meta["dtype"] == "<u2"
    assert sum(file.stat().st_size for file in built.folder.glob("*.tokens")) == 2 * built.tokens


@given(data=st.data())
def test_slices_are_those_of_lists(
    data: st.DataObject, bpe: Tokenizer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("slices")
    texts = data.draw(st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=1, max_size=6))
    shards = build_shards(_source(folder, texts), bpe, folder / "shards", shard_bytes=data.draw(st.integers(1, 60)))
    index = data.draw(st.integers(0, len(texts) - 1))
    start, stop = sorted(data.draw(st.tuples(st.integers(0, 90), st.integers(0, 90))))
    assert shards.slice(index, start, stop).tolist() == bpe.encode(texts[index])[start:stop]


def test_it_is_built_once(built: Shards, bpe: Tokenizer, tmp_path: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in built.folder.iterdir()}
    again = build_shards(_source(tmp_path, TEXTS), bpe, tmp_path / "shards")
    assert again.folder == built.folder
    assert {file.name: file.stat().st_mtime_ns for file in built.folder.iterdir()} == before
    assert again.fingerprint == built.fingerprint


def test_another_text_or_tokenizer_is_another_folder(built: Shards, bpe: Tokenizer, tmp_path: Path) -> None:
    other = build_shards(_source(tmp_path, [*TEXTS, "one more"], "more.jsonl"), bpe, tmp_path / "shards")
    retrained = build_shards(_source(tmp_path, TEXTS), train_tokenizer("bpe", TEXTS, 270), tmp_path / "shards")
    assert len({built.folder, other.folder, retrained.folder}) == 3


class _Killed(Exception):
    pass


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_build_that_was_killed_goes_on(kept: int, tmp_path: Path, bpe: Tokenizer, built: Shards) -> None:
    source = _source(tmp_path, TEXTS)

    def kill(progress: Built) -> None:
        if len(list((tmp_path / "again").glob("*/*.json"))) >= kept:
            raise _Killed

    small = 2000
    with pytest.raises(_Killed):
        build_shards(source, bpe, tmp_path / "again", progress=kill, shard_bytes=small)
    folder = tmp_path / "again" / built.folder.name
    whole = {file.name: file.stat().st_mtime_ns for file in folder.glob("*.tokens")}
    assert len(whole) == kept
    assert not (folder / "meta.json").exists()
    resumed = build_shards(source, bpe, tmp_path / "again", shard_bytes=small)
    assert {name: (folder / name).stat().st_mtime_ns for name in whole} == whole
    assert [resumed.document(n).tolist() for n in range(200)] == [built.document(n).tolist() for n in range(200)]
    assert resumed.lengths.tolist() == built.lengths.tolist()


def test_a_broken_shard_of_a_killed_build_is_made_anew(built: Shards, tmp_path: Path, bpe: Tokenizer) -> None:
    (built.folder / "meta.json").unlink()
    file = built.folder / "00001.tokens"
    file.write_bytes(file.read_bytes()[:-2])
    again = build_shards(_source(tmp_path, TEXTS), bpe, tmp_path / "shards", shard_bytes=2000)
    assert [bpe.decode(again.document(n).tolist()) for n in range(200)] == TEXTS


@pytest.mark.parametrize("suffix", ["tokens", "documents"])
@pytest.mark.parametrize("how", ["missing", "truncated", "altered"])
def test_what_is_broken_is_named(built: Shards, suffix: str, how: str) -> None:
    file = built.folder / f"00001.{suffix}"
    content = bytearray(file.read_bytes())
    if how == "missing":
        file.unlink()
    elif how == "truncated":
        file.write_bytes(content[:-2])
    else:
        content[7] ^= 1
        file.write_bytes(content)
    with pytest.raises(DataError, match=rf"00001\.{suffix} is .*{how}.*build the shards again"):
        Shards.open(built.folder)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no token shards"), ("{", "not JSON"), ('{"format": 0}', "format 0")]
)
def test_a_broken_meta_file(built: Shards, content: str | None, message: str) -> None:
    (built.folder / "meta.json").unlink()
    if content is not None:
        (built.folder / "meta.json").write_text(content)
    with pytest.raises(DataError, match=message):
        Shards.open(built.folder)


def test_opened_it_is_the_same(built: Shards) -> None:
    opened = Shards.open(built.folder)
    assert opened.to_dict() == built.to_dict()
    assert opened.document(7).tolist() == built.document(7).tolist()


def test_a_held_out_part_and_the_rest(built: Shards, bpe: Tokenizer) -> None:
    held, rest = built.held_out(0.2), built.training(0.2)
    texts = [[bpe.decode(part.document(n).tolist()) for n in range(part.documents)] for part in (held, rest)]
    assert sorted(texts[0] + texts[1]) == sorted(TEXTS)
    assert 0.1 < held.documents / 200 < 0.3
    assert held.tokens + rest.tokens == built.tokens
    assert held.bytes + rest.bytes == built.bytes
    assert held.fingerprint != rest.fingerprint


def test_a_document_stays_on_its_side(built: Shards, bpe: Tokenizer, tmp_path: Path) -> None:
    """When the corpus is reversed, doubled and extended, no text changes sides, and no copy is on the other side."""
    held = {bpe.decode(built.held_out(0.2).document(n).tolist()) for n in range(built.held_out(0.2).documents)}
    longer = [*reversed(TEXTS), *TEXTS, *(f"a new one {n}" for n in range(50))]
    other = build_shards(_source(tmp_path, longer, "longer.jsonl"), bpe, tmp_path / "shards")
    part = other.held_out(0.2)
    again = {bpe.decode(part.document(n).tolist()) for n in range(part.documents)}
    assert {text for text in again if not text.startswith("a new")} == held
    assert not set(part.digests.tolist()) & set(other.training(0.2).digests.tolist())
    assert held < {bpe.decode(other.held_out(0.5).document(n).tolist()) for n in range(other.held_out(0.5).documents)}


def test_duplicates_are_counted_and_can_be_left_out(tmp_path: Path, bpe: Tokenizer) -> None:
    shards = build_shards(_source(tmp_path, ["a", "b", "a", "c", "a"]), bpe, tmp_path / "shards")
    assert shards.duplicates == 2
    distinct = shards.distinct()
    assert [bpe.decode(distinct.document(n).tolist()) for n in range(distinct.documents)] == ["a", "b", "c"]


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_outside_its_range(built: Shards, share: float) -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        built.held_out(share)
    assert built.held_out(0.0).documents == 0


def test_progress_counts_to_the_end(tmp_path: Path, bpe: Tokenizer) -> None:
    seen: list[Built] = []
    shards = build_shards(_source(tmp_path, TEXTS), bpe, tmp_path / "s", progress=seen.append, shard_bytes=2000)
    assert len(seen) > 5
    assert [one.documents for one in seen] == sorted(one.documents for one in seen)
    assert (seen[-1].documents, seen[-1].tokens, seen[-1].bytes) == (200, shards.tokens, shards.bytes)


def test_a_source_without_text_leaves_no_meta(tmp_path: Path, bpe: Tokenizer) -> None:
    with pytest.raises(DataError, match="empty corpus"):
        build_shards(_source(tmp_path, [" "]), bpe, tmp_path / "shards")
    assert not list((tmp_path / "shards").rglob("meta.json"))


@pytest.mark.slow
def test_the_news(entry: Callable[[str], Path], tmp_path: Path, bpe: Tokenizer) -> None:
    entry("news")
    shards = build_shards(open_source("news"), bpe, tmp_path)
    assert (shards.documents, shards.duplicates) == (3781, 0)
    assert shards.held_out(0.05).documents == 161  # by hash: the same on every machine
    total = sum(int(bpe.token_bytes[shards.document(n)].sum()) for n in range(50))
    assert total == sum(len(text.encode()) for text, _ in zip(open_source("news").documents(), range(50), strict=False))
    assert np.unique(shards.digests).size == 3781
