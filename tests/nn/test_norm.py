"""Norms against their formulas in float64."""

import numpy as np
import pytest
import torch
from torch import nn

from trivium import architecture as arch
from trivium.nn.norm import build_norm

X = np.random.default_rng(0).normal(size=(2, 5, 8))


def away_from_its_start(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter, generator=generator)
    return module.double()


@pytest.mark.parametrize("eps", [1e-12, 0.5])
def test_layer_norm_is_its_formula(eps: float) -> None:
    norm = away_from_its_start(build_norm(arch.LayerNorm(eps), 8))
    weight, bias = (parameter.detach().numpy() for parameter in (norm.weight, norm.bias))
    expected = (X - X.mean(-1, keepdims=True)) / np.sqrt(X.var(-1, keepdims=True) + eps) * weight + bias
    np.testing.assert_allclose(norm(torch.tensor(X)).detach().numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_rms_norm_is_its_formula(eps: float) -> None:
    norm = away_from_its_start(build_norm(arch.RMSNorm(eps), 8))
    expected = X / np.sqrt((X**2).mean(-1, keepdims=True) + eps) * norm.weight.detach().numpy()
    np.testing.assert_allclose(norm(torch.tensor(X)).detach().numpy(), expected, rtol=1e-12)
    assert arch.RMSNorm().parameters(8) == sum(parameter.numel() for parameter in norm.parameters())


def test_an_absent_norm_is_the_identity() -> None:
    x = torch.tensor(X)
    assert build_norm(None, 8)(x) is x
