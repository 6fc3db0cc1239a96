"""Sinusoids against their formula, and Transformer-XL's scores against its equation, pair by pair in float64."""

import math

import pytest
import torch

from trivium.nn.mask import Mask
from trivium.nn.sinusoid import DistanceScores, RelativeSinusoids, Sinusoidal


@pytest.mark.parametrize("dim", [8, 7])
def test_sinusoids_are_the_papers_formula(dim: int) -> None:
    """Vaswani et al. 2017, section 3.5."""
    found = Sinusoidal(dim)(torch.tensor([[0, 1, 50], [3, 900, 2]]))
    for row, positions in enumerate([[0, 1, 50], [3, 900, 2]]):
        for column, position in enumerate(positions):
            for channel in range(dim):
                angle = position / 10_000 ** (2 * (channel // 2) / dim)
                expected = math.cos(angle) if channel % 2 else math.sin(angle)
                assert float(found[row, column, channel]) == pytest.approx(expected, abs=1e-4)


def test_scores_of_a_distance_are_the_papers_equation() -> None:
    """Dai et al. 2019, section 3.3: (q_i + u)·k_j + (q_i + v)·W r(i − j), for queries after a past."""
    heads, size, dim, past, new, scale = 2, 6, 10, 3, 4, 0.3
    keys = past + new
    scores = DistanceScores(dim, heads, size).double()
    for parameter in scores.parameters():
        torch.nn.init.normal_(parameter)
    q, k = torch.randn(1, heads, new, size).double(), torch.randn(1, heads, keys, size).double()
    waves = RelativeSinusoids(dim)(torch.arange(keys)).double()
    allowed = torch.ones(new, keys, dtype=torch.bool).tril(past)[None, None]
    queries, mask = scores(q, waves, Mask(allowed=allowed), scale)
    found = queries @ k.transpose(-1, -2) * scale + mask.allowed
    for head in range(heads):
        u, v = scores.content[head, 0], scores.distance[head, 0]
        w = scores.projection.weight[head * size : (head + 1) * size]
        for i in range(new):
            for j in range(keys):
                if j > past + i:
                    assert found[0, head, i, j] == -math.inf
                    continue
                distance = past + i - j
                angles = [distance / 10_000 ** (2 * c / dim) for c in range(dim // 2)]
                r = torch.tensor([math.sin(a) for a in angles] + [math.cos(a) for a in angles], dtype=torch.float64)
                expected = scale * ((q[0, head, i] + u) @ k[0, head, j] + (q[0, head, i] + v) @ (w @ r))
                torch.testing.assert_close(found[0, head, i, j], expected, atol=1e-5, rtol=1e-5)
