"""Validation in the three units."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.train.tiny import batch, build, micro_batches
from trivium.objectives.batch import Batch
from trivium.train.loss import LossSum, head_loss
from trivium.train.validation import Validation, validate


def test_units() -> None:
    validation = Validation(loss=math.log(32), targets=100, bytes=250)
    assert validation.perplexity == pytest.approx(32)
    assert validation.bits_per_byte == pytest.approx(5 * 100 / 250)
    assert Validation(1.0, 1).bits_per_byte is None
    assert Validation(1e6, 1).perplexity < math.inf


def test_weighted_by_targets_without_dropout_and_without_gradients() -> None:
    """However the rows are cut, and whatever the mode of the model."""
    model, whole = build().train(), batch("decoder", 5)
    found = [validate(model, micro_batches(whole, parts), head_loss) for parts in (1, 2, 4)]
    assert model.training
    assert len({validation.targets for validation in found}) == 1
    assert [validation.loss for validation in found] == pytest.approx([found[0].loss] * 3, rel=1e-6)
    expected = head_loss(model.eval(), whole)
    assert found[0].loss == pytest.approx(expected.loss_sum.item() / expected.targets, rel=1e-6)
    assert all(p.grad is None for p in model.parameters())


def test_bytes_are_those_of_the_targets() -> None:
    whole = batch("decoder", 5)
    token_bytes = torch.arange(61)
    found = validate(build(), [whole], head_loss, token_bytes)
    assert found.bytes == int(whole.targets[whole.targets >= 0].sum())
    assert Validation.from_dict(found.to_dict()) == found


def test_of_the_language_labels_are_left_out_and_of_a_task_they_are_read() -> None:
    seen = []

    def loss(model: nn.Module, batch: Batch) -> LossSum:
        seen.append(batch.labels)
        return head_loss(model, replace(batch, labels=None))

    labelled = replace(batch("decoder", 5), labels=torch.ones(4, dtype=torch.int64))
    validate(build(), [labelled], loss)
    validate(build(), [labelled], loss, of="task")
    assert seen[0] is None
    assert seen[1] is not None
