"""The whole model: documents packed side by side, the cache, and one graph for the compiler."""

import subprocess
import sys

import pytest
import torch

from tests.test_architecture import TINY
from trivium.model import Transformer
from trivium.nn.cache import Cache


@pytest.fixture(params=sorted(TINY))
def model(request) -> Transformer:
    model = Transformer(TINY[request.param], torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return model


def test_a_neighbour_changes_nothing(model: Transformer) -> None:
    """Documents packed into a row give the logits that each gives alone, whatever stands beside it."""
    generator = torch.Generator().manual_seed(2)
    documents = [torch.randint(0, 61, (length,), generator=generator) for length in (7, 12, 5)]
    packed = torch.cat([*documents, torch.zeros(4, dtype=torch.long)])[None]
    numbers = torch.tensor([1] * 7 + [2] * 12 + [3] * 5 + [0] * 4)[None]
    pair = model.architecture.kind == "encoder-decoder"
    with torch.no_grad():
        if pair:
            written = [document[:4] for document in documents]
            row, row_numbers = torch.cat(written)[None], torch.tensor([1] * 4 + [2] * 4 + [3] * 4)[None]
            together = model(packed, numbers, row, row_numbers)[0].split(4)
            alone = [model(d[None], None, w[None])[0] for d, w in zip(documents, written, strict=True)]
        else:
            together = model(packed, numbers)[0].split([7, 12, 5, 4])[:3]
            alone = [model(document[None])[0] for document in documents]
        for ours, theirs in zip(together, alone, strict=True):
            torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=0)

        changed = packed.clone()
        changed[0, 7:19] = (changed[0, 7:19] + 1) % 61
        again = model(changed, numbers, row, row_numbers) if pair else model(changed, numbers)
        before = together[0]
        assert torch.equal(again[0, : before.shape[0]], before), "the first document saw its neighbour"


@pytest.mark.parametrize("padded", [False, True])
def test_cached_equals_uncached(model: Transformer, padded: bool) -> None:
    if model.architecture.decoder is None:
        pytest.skip("an encoder reads everything at once")
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(0, 61, (3, 14), generator=generator)
    documents = torch.ones_like(ids)
    if padded:
        documents[0, :3] = 0
        documents[2, :6] = 0
    pair = model.architecture.kind == "encoder-decoder"
    source = torch.randint(0, 61, (3, 9), generator=generator)
    source_documents = torch.ones_like(source)
    source_documents[1, 5:] = 0
    given = documents if padded else None
    with torch.no_grad():
        memory = model.encode(source, source_documents) if pair else None
        memory_documents = source_documents if pair else None
        whole = model.decode(ids, given, memory, memory_documents)
        cache = Cache.empty(model.architecture.decoder, batch=3, capacity=14)
        first = None if given is None else given[:, :8]
        parts = [model.decode(ids[:, :8], first, memory, memory_documents, cache)]
        parts += [model.decode(ids[:, 8:11], None, memory, memory_documents, cache)]
        parts += [model.decode(ids[:, i : i + 1], None, memory, memory_documents, cache) for i in range(11, 14)]
    real = documents.bool()
    torch.testing.assert_close(torch.cat(parts, dim=1)[real], whole[real], atol=2e-5, rtol=0)
    assert cache.length == 14


def test_rows_of_a_cache_can_be_picked(model: Transformer) -> None:
    if model.architecture.kind != "decoder":
        pytest.skip("shown on decoders")
    ids = torch.randint(0, 61, (3, 6), generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        cache = Cache.empty(model.architecture.decoder, batch=3, capacity=8)
        model.decode(ids[:, :5], cache=cache)
        cache.reorder(torch.tensor([2, 0]))
        picked = model.decode(ids[[2, 0], 5:], cache=cache)
        whole = model.decode(ids[[2, 0]])
    torch.testing.assert_close(picked[:, -1], whole[:, -1], atol=2e-5, rtol=0)


def test_initial_weights_follow_the_seed() -> None:
    for architecture in TINY.values():
        first, second = (Transformer(architecture, torch.Generator().manual_seed(7)) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


COMPILE = """
import torch
from tests.test_architecture import TINY
from trivium.model import Transformer

for name in ("bert", "bloom", "gopher", "gpt3", "grouped", "t5"):
    architecture = TINY[name]
    torch.compiler.reset()
    model = Transformer(architecture)
    ids = torch.randint(0, 61, (2, 16))
    documents = torch.tensor([[1] * 9 + [2] * 7, [1] * 12 + [0] * 4])
    written = (ids[:, :5], torch.tensor([[1, 1, 1, 2, 2], [1, 1, 1, 1, 0]]))
    extra = written if architecture.kind == "encoder-decoder" else ()
    whole = [(ids, None, *extra[:1])] if name in ("gpt3", "t5") else []  # without documents masks are left out
    for arguments in (*whole, (ids, documents, *extra)):
        compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(*arguments), model(*arguments))
        compiled(*arguments).sum().backward()
    print(name, "traced")
"""


@pytest.mark.slow
def test_every_dataflow_compiles_as_one_graph() -> None:
    """In a process of its own, where annotations are not checked (the checker is no part of the graph).

    Each position, a window, grouped queries, both kinds of norm, and all three kinds of model are among them.
    """
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == [
        f"{name} traced" for name in ("bert", "bloom", "gopher", "gpt3", "grouped", "t5")
    ]
