import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.objectives.vocabularies import SIZE, VOCABULARY, document, objectives
from trivium.data.documents import Documents, InMemoryDocuments
from trivium.data.loader import HeldOut, Loader
from trivium.data.mixture import MixtureSource
from trivium.data.shards import build_shards
from trivium.data.sources import open_source
from trivium.errors import DataError
from trivium.families import bert, gpt2, llama, t5
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch
from trivium.objectives.collate import collate
from trivium.objectives.registry import objective
from trivium.objectives.row import Piece
from trivium.text.training import train_tokenizer

DOCUMENTS = InMemoryDocuments(document(size, seed=size) for size in np.random.default_rng(0).integers(1, 90, size=80))
SOURCES = [MixtureSource(DOCUMENTS, 0.8, name="a"), MixtureSource(InMemoryDocuments([document(700)]), 0.2, name="b")]

RECORDED = [3088199190, 916184917, 3306121549, 883654816, 3489465384, 2276460476, 1763829604, 2423177382]


def same(one: Batch, other: Batch) -> bool:
    pairs = [(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__]
    return all((a is None and b is None) or torch.equal(a, b) for a, b in pairs)


@settings(max_examples=10)
@given(st.lists(st.integers(0, 60), min_size=2, max_size=4), st.sampled_from(range(len(RECORDED))), st.integers(0, 2))
def test_a_batch_is_a_function_of_seed_and_step(steps: list[int], which: int, seed: int) -> None:
    used = Loader(SOURCES, objectives(48)[which], seed)
    for step in steps:
        assert same(used.batch(step, 4), Loader(SOURCES, objectives(48)[which], seed).batch(step, 4))


def test_micro_batches_are_the_batch() -> None:
    loader = Loader(SOURCES, objectives(48)[1], seed=0)
    whole = loader.batch(3, 10)
    parts = list(loader.micro_batches(3, 10, 4))
    assert [len(part.input_ids) for part in parts] == [4, 4, 2]
    assert torch.equal(torch.cat([part.targets for part in parts]), whole.targets)
    assert torch.equal(torch.cat([part.input_ids for part in parts]), whole.input_ids)


def test_what_was_consumed_is_what_was_planned() -> None:
    loader = Loader(SOURCES, objectives(48)[0], seed=0)
    said = sum(loader.batch(step, 4).target_tokens for step in range(25))
    table = loader.consumed(25, 4)
    assert table == loader.plan(25, 4)
    ends = said - table.tokens  # each document's end is a target, too
    assert 0 < ends <= sum(source.documents_read for source in table.sources)
    assert sum(source.share for source in table.sources) == pytest.approx(1)


def test_held_out_rows_are_the_same_each_time() -> None:
    held_out = HeldOut(DOCUMENTS, objectives(48)[1], seed=0, windows=10)
    once, again = list(held_out.batches(4)), list(held_out.batches(4))
    assert [len(batch.input_ids) for batch in once] == [4, 4, 2]
    assert all(same(a, b) for a, b in zip(once, again, strict=True))
    in_another_size = torch.cat([batch.targets for batch in held_out.batches(3)])
    assert torch.equal(in_another_size, torch.cat([batch.targets for batch in once]))
    everything = HeldOut(DOCUMENTS, objectives(48)[0], seed=0, windows=10_000)
    assert everything.tokens == DOCUMENTS.tokens
    with pytest.raises(DataError, match="'news' holds no token"):
        HeldOut(InMemoryDocuments([]), objectives(48)[0], seed=0, name="news")


MODELS = {
    "bert": ("masked", bert.preset(vocab=SIZE, dim=24, depth=2, heads=3, positions=64)),
    "gpt2": ("causal", gpt2.preset(vocab=SIZE, dim=24, depth=2, heads=3, positions=64)),
    "llama": ("causal", llama.preset(vocab=SIZE, dim=24, depth=2, heads=4, kv_heads=2, head_dim=6)),
    "t5": ("span", t5.preset(vocab=SIZE, dim=24, depth=2, heads=3, head_dim=6)),
}


@pytest.mark.parametrize("family", MODELS)
def test_a_neighbour_changes_nothing(family: str) -> None:
    """The logits of a document packed with others are those of the document alone: no leak, positions restart."""
    name, architecture = MODELS[family]
    model = Transformer(architecture).double().eval()  # so that rounding hides nothing
    made = objective(name, VOCABULARY, 60)
    pieces = [Piece(document(size, seed=size)) for size in (17, 9, 21)]
    packed = collate([made.row(pieces, np.random.default_rng(0))])
    with torch.no_grad():
        together = _logits(model, packed)
        for number in (1, 2, 3):
            alone = _only(packed, number)
            side = packed.documents if packed.decoder_documents is None else packed.decoder_documents
            assert side is not None
            torch.testing.assert_close(together[:, side[0] == number], _logits(model, alone), rtol=0, atol=1e-12)
        # Without the numbers the neighbours are seen: this test can fail.
        seen = _logits(model, Batch(packed.input_ids, packed.targets, decoder_input_ids=packed.decoder_input_ids))
        last = int((packed.targets[0] != IGNORE).nonzero()[-1])
        assert not torch.allclose(seen[:, last], together[:, last], atol=1e-4)


def _logits(model: Transformer, batch: Batch) -> torch.Tensor:
    return model(batch.input_ids, batch.documents, batch.decoder_input_ids, batch.decoder_documents)


def _only(batch: Batch, number: int) -> Batch:
    """One document of a packed row, as a row of its own without padding."""
    assert batch.documents is not None
    here = batch.documents[0] == number
    if batch.decoder_documents is None:
        return Batch(batch.input_ids[:, here], batch.targets[:, here])
    assert batch.decoder_input_ids is not None
    there = batch.decoder_documents[0] == number
    return Batch(batch.input_ids[:, here], batch.targets[:, there], decoder_input_ids=batch.decoder_input_ids[:, there])


def test_the_order_and_the_masks_are_the_recorded_ones() -> None:
    """A change of these numbers breaks the resuming of runs that were begun before it."""
    recorded = []
    for made in objectives(48):
        loader = Loader(SOURCES, made, seed=7)
        batches = [loader.batch(step, 4) for step in (0, 20)]
        recorded.append(
            zlib.crc32(b"".join(b.input_ids.numpy().tobytes() + b.targets.numpy().tobytes() for b in batches))
        )
    assert recorded == RECORDED


def test_shards_on_the_disk_give_the_batches_of_the_same_documents_in_memory(tmp_path: Path) -> None:
    texts = [f"Document {n}: " + "some words of it, " * (n % 17) for n in range(60)]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    source = open_source(str(tmp_path / "texts.jsonl"))
    tokenizer = train_tokenizer("bpe", texts, 300)
    shards = build_shards(source, tokenizer, tmp_path / "shards")
    assert isinstance(shards, Documents)
    made = objective("causal", tokenizer, 48)
    on_disk = Loader([MixtureSource(shards)], made, seed=0)
    in_memory = Loader([MixtureSource(InMemoryDocuments(tokenizer.encode_batch(texts)))], made, seed=0)
    assert all(same(on_disk.batch(step, 5), in_memory.batch(step, 5)) for step in range(6))


def test_every_batch_asks_for_something() -> None:
    for made in objectives(48):
        loader = Loader(SOURCES, made, seed=0)
        for step in range(10):
            assert (loader.batch(step, 3).targets != IGNORE).any(dim=1).all()
