"""What joins the tokens: a sum of the parts that are there, then the norm."""

import pytest
import torch

from trivium import architecture as arch
from trivium.nn.embedding import Embedding

TOKENS = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0))
POSITIONS = torch.tensor([[0, 1, 2, 3], [0, 1, 0, 1]])
SEGMENTS = torch.tensor([[0, 0, 1, 1], [1, 0, 1, 0]])


def test_without_parts_the_tokens_pass() -> None:
    embedding = Embedding(arch.Embedding(), dim=8)
    assert embedding(TOKENS, POSITIONS) is TOKENS
    assert not list(embedding.parameters())


@pytest.mark.parametrize("offset", [0, 2])
def test_positions_segments_and_norm_in_this_order(offset: int) -> None:
    described = arch.Embedding(arch.Learned(positions=4, offset=offset), segments=2, norm=arch.LayerNorm())
    embedding = Embedding(described, dim=8)
    position, segment = embedding.positions.weight, embedding.segments.weight
    assert position.shape == (4 + offset, 8)
    found = embedding(TOKENS, POSITIONS, SEGMENTS)
    for row in range(2):
        for column in range(4):
            summed = TOKENS[row, column] + position[POSITIONS[row, column] + offset] + segment[SEGMENTS[row, column]]
            torch.testing.assert_close(found[row, column], embedding.norm(summed))


def test_every_token_is_of_the_first_segment_unless_told() -> None:
    embedding = Embedding(arch.Embedding(segments=2), dim=8)
    assert torch.equal(embedding(TOKENS, POSITIONS), embedding(TOKENS, POSITIONS, torch.zeros_like(SEGMENTS)))


def test_dropout_comes_after_the_norm_and_while_training_only() -> None:
    embedding = Embedding(arch.Embedding(norm=arch.LayerNorm(), dropout=0.5), dim=8)
    normed = embedding.eval()(TOKENS, POSITIONS)
    drawn = embedding.train()(TOKENS, POSITIONS)
    kept = drawn != 0
    assert 0 < kept.sum() < kept.numel()
    torch.testing.assert_close(drawn[kept], 2 * normed[kept])
