"""The MLP against its formula in float64, with the activations written out."""

import math

import numpy as np
import pytest
import torch

from trivium import architecture as arch
from trivium.nn.mlp import MLP, activate

X = np.random.default_rng(0).normal(size=(2, 5, 8))
erf = np.vectorize(math.erf)

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_their_formulas(activation: arch.Activation) -> None:
    found = activate(torch.tensor(3 * X), activation).numpy()
    np.testing.assert_allclose(found, ACTIVATIONS[activation](3 * X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_mlp_is_its_formula(gated: bool, bias: bool) -> None:
    mlp = MLP(arch.MLP(hidden=12, activation="silu", gated=gated, bias=bias), 8).double()
    weights = {name: parameter.detach().numpy() for name, parameter in mlp.named_parameters()}
    assert ("up.bias" in weights) == bias

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0)

    act = ACTIVATIONS["silu"]
    hidden = act(linear("gate", X)) * linear("up", X) if gated else act(linear("up", X))
    np.testing.assert_allclose(mlp(torch.tensor(X)).detach().numpy(), linear("down", hidden), rtol=1e-10, atol=1e-12)


def test_dropout_zeroes_hidden_channels_while_training_only() -> None:
    mlp = MLP(arch.MLP(hidden=6, activation="relu"), 4, dropout=1.0)
    x = torch.ones(1, 4)
    assert not mlp.train()(x).any()
    assert mlp.eval()(x).any()
