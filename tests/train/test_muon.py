"""Muon against its definition and against torch's own (which works in bfloat16)."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trivium.train.muon import Muon, orthogonalize


@given(rows=st.integers(2, 40), columns=st.integers(2, 40), scale=st.floats(1e-4, 1e4), seed=st.integers(0, 99))
def test_singular_values_come_near_one_and_directions_stay(rows: int, columns: int, scale: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    left, _ = torch.linalg.qr(torch.randn(rows, min(rows, columns), generator=generator))
    right, _ = torch.linalg.qr(torch.randn(columns, min(rows, columns), generator=generator))
    values = 0.1 + torch.rand(min(rows, columns), generator=generator)
    found = orthogonalize(scale * (left * values) @ right.T, torch.float32)
    inside = left.T @ found @ right
    assert inside.diagonal().min() > 0.6
    assert inside.diagonal().max() < 1.3
    torch.testing.assert_close(inside, torch.diag(inside.diagonal()), atol=1e-3, rtol=0)


@pytest.mark.parametrize("shape", [(6, 6), (12, 5), (5, 12)])
def test_equals_torch_s_muon(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(shape, generator=generator)
    ours, theirs = (torch.nn.Parameter(weight.clone()) for _ in range(2))
    options = {"lr": 0.05, "weight_decay": 0.1, "momentum": 0.9}
    muon = Muon([ours], matmul_dtype=torch.bfloat16, **options)
    expected = torch.optim.Muon([theirs], adjust_lr_fn="match_rms_adamw", **options)
    for _ in range(5):
        gradient = torch.randn(shape, generator=generator)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        muon.step()
        expected.step()
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)
    assert not torch.allclose(ours, weight, atol=0.05)


def test_update_has_the_size_of_adamw_s() -> None:
    """About 0.2 root mean square times the learning rate, whatever the shape and the gradient's size."""
    for shape, scale in (((64, 64), 1e-3), ((256, 32), 1.0), ((32, 256), 1e3)):
        weight = torch.nn.Parameter(torch.zeros(shape))
        weight.grad = scale * torch.randn(shape, generator=torch.Generator().manual_seed(1))
        Muon([weight], lr=1.0, weight_decay=0.0).step()
        assert weight.square().mean().sqrt().item() == pytest.approx(0.2, rel=0.25)
