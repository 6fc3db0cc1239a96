"""The head is its formula, and a tied one is the token table itself."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from trivium import architecture as arch
from trivium.nn.head import Head

X = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))

HEADS = {
    "BERT": arch.Head(bias=True, transform="gelu", norm=arch.LayerNorm(1e-12)),
    "GPT-2": arch.Head(),
    "LLaMA": arch.Head(tied=False),
    "T5": arch.Head(scale=8**-0.5),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_its_formula(name: str) -> None:
    described, tokens = HEADS[name], nn.Embedding(13, 8)
    head = Head(described, tokens)
    x = X
    if name == "BERT":
        nn.init.normal_(head.projection.bias)
        x = head.norm(F.gelu(head.transform(X)))
    table = tokens.weight if described.tied else head.projection.weight
    expected = (x @ table.T) * described.scale + (head.projection.bias if described.bias else 0)
    torch.testing.assert_close(head(X), expected)
    own = sum(parameter.numel() for parameter in set(head.parameters()) - {tokens.weight})
    assert own == described.parameters(dim=8, vocab=13)


def test_a_tied_head_follows_the_tokens_and_gives_them_its_gradient() -> None:
    tokens = nn.Embedding(13, 8)
    head = Head(HEADS["GPT-2"], tokens)
    assert head.projection.weight is tokens.weight
    assert Head(HEADS["LLaMA"], tokens).projection.weight is not tokens.weight
    with torch.no_grad():
        tokens.weight.zero_()
    logits = head(X)
    assert not logits.any()
    logits[..., 3].sum().backward()
    torch.testing.assert_close(tokens.weight.grad[3], X.sum((0, 1)))


@pytest.mark.parametrize("name", HEADS)
def test_picked_rows_give_the_same_logits(name: str) -> None:
    head = Head(HEADS[name], nn.Embedding(13, 8))
    picked = torch.tensor([[True, False, True, False, False], [False, False, False, False, True]])
    torch.testing.assert_close(head(X[picked]), head(X)[picked])
    assert head(X[:, :0]).shape == (2, 0, 13)
