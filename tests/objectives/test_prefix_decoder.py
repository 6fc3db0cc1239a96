"""The prefix objective of a decoder: the docstring's example, what is asked for, and what the model may see."""

import numpy as np
import pytest
import torch

from trivium.families import bloom, gopher, gpt2, gpt3, llama
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE
from trivium.objectives.causal import Causal
from trivium.objectives.collate import collate
from trivium.objectives.prefix_decoder import PrefixDecoder
from trivium.objectives.row import Piece
from trivium.train.loss import head_loss

OBJECTIVE = PrefixDecoder(length=8, start=1, end=2, pad=0)
DOCUMENT = Piece(np.array([10, 11, 12, 13, 14]))


def test_the_example_of_the_docstring() -> None:
    rows = {int(row.prefix.sum()): row for row in (OBJECTIVE.row([DOCUMENT], rng(seed)) for seed in range(50))}
    assert set(rows) == {1, 2, 3, 4, 5}, "every place is drawn, and something is always asked for"
    row = rows[3]
    assert row.input_ids.tolist() == [1, 10, 11, 12, 13, 14, 0, 0]
    assert row.targets.tolist() == [IGNORE, IGNORE, 12, 13, 14, 2, IGNORE, IGNORE]
    assert row.prefix.tolist() == [True] * 3 + [False] * 5


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_half_of_the_tokens_are_asked_for_on_average() -> None:
    objective = PrefixDecoder(length=200, start=1, end=2, pad=0)
    piece = Piece(np.arange(10, 160))
    asked = [int((objective.row([piece], rng(seed)).targets != IGNORE).sum()) / 151 for seed in range(400)]
    assert np.mean(asked) == pytest.approx(0.5, abs=4 * np.std(asked) / 20)


def test_rows_are_those_of_the_causal_objective_but_for_what_is_asked() -> None:
    causal = Causal(length=20, start=1, end=2, pad=0)
    objective = PrefixDecoder(length=20, start=1, end=2, pad=0)
    pieces = [DOCUMENT, Piece(np.array([15, 16, 17]), last=False), Piece(np.array([18]), first=False)]
    assert objective.capacity == causal.capacity
    for seed in range(20):
        plain, row = causal.row(pieces, rng(seed)), objective.row(pieces, rng(seed))
        assert np.array_equal(plain.input_ids, row.input_ids)
        assert np.array_equal(plain.documents, row.documents)
        kept = row.targets != IGNORE
        assert np.array_equal(plain.targets[kept], row.targets[kept])
        for number in (1, 2, 3):
            inside = row.prefix[row.documents == number]
            assert np.array_equal(inside, np.sort(inside)[::-1]), "a prefix is at the beginning"
            last = np.flatnonzero(inside)[-1:] if inside.any() else []
            assert all(kept[row.documents == number][last]), "its last token says the first one behind it"
        assert not (row.prefix & (row.documents == 0)).any()


FAMILIES = {"gpt2": gpt2, "llama": llama, "bloom": bloom, "gopher": gopher, "gpt3": gpt3}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_prefix_sees_itself_and_never_what_is_behind_it(name: str) -> None:
    architecture = FAMILIES[name].preset(vocab=60, dim=24, depth=2, heads=3, positions=32)
    model = Transformer(architecture, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    ids = torch.arange(10, 20)[None]
    prefix = torch.tensor([[True] * 5 + [False] * 5])

    def hidden(change: int | None = None) -> torch.Tensor:
        changed = ids.clone()
        if change is not None:
            changed[0, change] = 50
        with torch.no_grad():
            return model.hidden(changed, None, prefix=prefix)[0]

    plain = hidden()
    assert not torch.allclose(hidden(4)[:4], plain[:4], atol=1e-3), "earlier tokens of the prefix read its last"
    assert torch.equal(hidden(5)[:5], plain[:5]), "the prefix does not read what is behind it"
    assert torch.equal(hidden(8)[:8], plain[:8]), "what is behind it is causal"
    with torch.no_grad():
        assert torch.equal(
            model.hidden(ids, None, prefix=torch.zeros_like(prefix)), model.hidden(ids, torch.ones_like(ids))
        )


def test_attention_is_that_of_the_matrix_written_out() -> None:
    """A layer in float64 against softmax over the pairs that the picture of Raffel et al. 2020 allows."""
    model = Transformer(gpt2.preset(vocab=60, dim=12, depth=1, heads=1, positions=16)).double().eval()
    ids, prefix = torch.arange(10, 18)[None], torch.tensor([[True] * 3 + [False] * 5])
    found = model.hidden(ids, torch.ones_like(ids), prefix=prefix)[0]
    layer, stack = model.decoder.layers[0], model.decoder
    x = model.tokens(ids)[0] + stack.embedding.positions.weight[:8]
    normed = layer.before_attention(x)
    q, k, v = (part(normed) for part in (layer.attention.query, layer.attention.key, layer.attention.value))
    rows = []
    for i in range(8):
        seen = [j for j in range(8) if j <= i or (i < 3 and j < 3)]
        shares = torch.softmax(torch.stack([q[i] @ k[j] / 12**0.5 for j in seen]), dim=0)
        rows.append(sum(share * v[j] for share, j in zip(shares, seen, strict=True)))
    x = x + layer.attention.output(torch.stack(rows))
    x = x + layer.mlp(layer.before_mlp(x))
    torch.testing.assert_close(found, stack.final_norm(x), atol=1e-12, rtol=0)


def test_a_decoder_learns_from_it() -> None:
    torch.manual_seed(0)
    model = Transformer(gpt2.preset(vocab=60, dim=32, depth=2, heads=2, positions=16))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for step in range(40):
        batch = collate([OBJECTIVE.row([DOCUMENT], rng(100 * step + row)) for row in range(8)])
        summed = head_loss(model, batch)
        optimizer.zero_grad()
        (summed.loss_sum / summed.targets).backward()
        optimizer.step()
        losses.append(summed.loss_sum.item() / summed.targets)
    assert losses[-1] < 0.2 * losses[0], losses
