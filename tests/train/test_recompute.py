"""Activation checkpointing: the same gradients, less kept, no name changed."""

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from tests.train.tiny import KINDS, batch, build
from trivium.model import Transformer
from trivium.train.loss import head_loss
from trivium.train.recompute import recompute_blocks


def gradients(model: Transformer, kind: str) -> tuple[dict[str, torch.Tensor], int]:
    """With dropout. Also the bytes of activations that the forward pass kept."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(3)
    with saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = head_loss(model, batch("decoder" if kind == "llama" else kind, 0)).loss_sum
    size = sum(kept.values()) - sum(p.nbytes for p in model.parameters())
    loss.backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}, size


@pytest.mark.parametrize("kind", [*KINDS, "llama"])
def test_same_gradients_bit_for_bit_and_less_kept(kind: str) -> None:
    plain, edited = build(kind), build(kind)
    names = list(edited.state_dict())
    assert recompute_blocks(edited) == (4 if kind == "encoder-decoder" else 2)
    assert list(edited.state_dict()) == names
    expected, kept = gradients(plain, kind)
    found, kept_after = gradients(edited, kind)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert kept_after < kept / 2


def test_twice_is_once() -> None:
    model, calls = build(), []
    recompute_blocks(model)
    recompute_blocks(model)
    model.decoder.layers[0].mlp.register_forward_hook(lambda *_: calls.append(1))
    head_loss(model, batch("decoder", 0)).loss_sum.backward()
    assert len(calls) == 2


def test_without_gradients_it_is_the_plain_forward_pass() -> None:
    plain, edited = build().eval(), build().eval()
    recompute_blocks(edited)
    with torch.no_grad():
        example = batch("decoder", 0)
        assert torch.equal(plain(example.input_ids), edited(example.input_ids))
