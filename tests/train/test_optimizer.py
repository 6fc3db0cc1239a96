"""Which weights decay and which go to Muon; the optimizer against torch's own; its state there and back."""

import pytest
import torch

from tests.train.tiny import KINDS, batch, build
from trivium.train.loss import head_loss
from trivium.train.muon import Muon
from trivium.train.optimizer import build_optimizer
from trivium.train.settings import TrainSettings

SETTINGS = TrainSettings(steps=10, learning_rate=1e-2)


def backward(model: torch.nn.Module, kind: str, step: int) -> None:
    head_loss(model, batch(kind, step)).loss_sum.backward()


@pytest.mark.parametrize("kind", [*KINDS, "llama"])
@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_weight_is_in_one_group(kind: str, name: str) -> None:
    model = build(kind)
    optimizer = build_optimizer(model, SETTINGS.model_copy(update={"optimizer": name}))
    assert len(optimizer.parameters) == len(set(optimizer.parameters)) == len(list(model.parameters()))


@pytest.mark.parametrize("kind", [*KINDS, "llama"])
def test_matrices_decay_and_nothing_else(kind: str) -> None:
    model = build(kind)
    (adamw,) = build_optimizer(model, SETTINGS).parts
    names = {p: name for name, p in model.named_parameters()}
    decays = {names[p] for group in adamw.param_groups if group["weight_decay"] for p in group["params"]}
    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    tied = model.architecture.head.tied
    assert decays == linear - ({"head.projection.weight"} if tied else set())
    assert ("head.projection.weight" in decays) == (not tied)


@pytest.mark.parametrize("kind", [*KINDS, "llama"])
def test_muon_has_the_matrices_of_the_blocks(kind: str) -> None:
    model = build(kind)
    muon, _ = build_optimizer(model, SETTINGS.model_copy(update={"optimizer": "muon"})).parts
    assert isinstance(muon, Muon)
    chosen = set(muon.param_groups[0]["params"])
    expected = {p for name, p in model.named_parameters() if ".layers." in name and p.ndim == 2}
    assert chosen == expected


def test_adamw_is_torch_s() -> None:
    """epsilon stands above the rounding of gradients that ought to be zero (a key's bias), which Adam would blow up."""
    model, other = build(), build()
    optimizer = build_optimizer(model, SETTINGS.model_copy(update={"epsilon": 1e-2}))
    tables = {other.tokens.weight, other.decoder.embedding.positions.weight}
    decay = [p for p in other.parameters() if p.ndim == 2 and p not in tables]
    rest = [p for p in other.parameters() if p.ndim != 2 or p in tables]
    theirs = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0}],
        lr=1e-2,
        betas=(0.9, 0.95),
        eps=1e-2,
    )
    for step, multiplier in enumerate((0.5, 1.0, 0.25)):
        for group in theirs.param_groups:
            group["lr"] = 1e-2 * multiplier
        for current in (model, other):
            current.eval()
            backward(current, "decoder", step)
        optimizer.step(multiplier)
        theirs.step()
        theirs.zero_grad()
    for ours, expected in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_state_there_and_back(name: str) -> None:
    """Two optimizers with one state take the same step, bit for bit."""
    settings = SETTINGS.model_copy(update={"optimizer": name})
    model, other = build().eval(), build().eval()
    optimizer = build_optimizer(model, settings)
    for step in range(3):
        backward(model, "decoder", step)
        optimizer.step(1.0)
    resumed = build_optimizer(other, settings)
    resumed.load_state_dict({name: tensor.clone() for name, tensor in optimizer.state_dict().items()})
    other.load_state_dict(model.state_dict())
    for current, its in ((model, optimizer), (other, resumed)):
        backward(current, "decoder", 3)
        its.step(0.7)
    for ours, expected in zip(other.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, expected)


def test_frozen_weights_are_left_alone() -> None:
    model = build()
    model.tokens.requires_grad_(False)
    assert model.tokens.weight not in set(build_optimizer(model, SETTINGS).parameters)
