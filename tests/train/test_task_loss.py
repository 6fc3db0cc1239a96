"""Losses of task heads equal torch's own on logits of one text at a time, padded or packed, in value and gradient."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.finetune.tiny import EXAMPLES, PAIRS, body, prepared
from trivium.errors import TrainingError
from trivium.finetune.heads import starting_model
from trivium.model import Transformer
from trivium.nn.task import pool
from trivium.objectives.batch import IGNORE, Batch
from trivium.objectives.collate import packed, padded
from trivium.objectives.row import Row
from trivium.train.loss import LossFn
from trivium.train.task_loss import (
    Contrastive,
    class_loss,
    contrastive_loss,
    label_loss,
    number_loss,
    task_logits,
    unpacked,
)

FAMILIES = ("bert", "gpt2", "llama", "t5")


def alone(model: Transformer, row: Row) -> torch.Tensor:
    """The logits of a text that is read alone."""
    segments = None if row.segments is None else torch.from_numpy(row.segments)[None]
    logits: torch.Tensor = model.task_logits(torch.from_numpy(row.input_ids)[None], None, segments)[0]
    return logits


def gradients(model: nn.Module) -> torch.Tensor:
    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in model.parameters()])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("form", EXAMPLES)
def test_losses_are_those_of_texts_that_are_read_alone(family: str, form: str) -> None:
    lm = body(family)
    ready = prepared(lm, form)
    model = starting_model(lm.model, ready.architecture, seed=1).eval()
    loss: torch.Tensor = torch.zeros(())
    for row in ready.rows:
        logits, label = alone(model, row), torch.tensor(row.label)
        match form:
            case "classification":
                loss = loss + F.cross_entropy(logits, label)
            case "multi-label":
                loss = loss + F.binary_cross_entropy_with_logits(logits, label)
            case _:
                loss = loss + F.mse_loss(logits[0], label)
    loss.backward()
    expected = gradients(model)
    for batch in (padded(ready.rows, 0), packed(ready.rows, 0, 32), packed(ready.rows, 0, 400)):
        model.zero_grad()
        found = ready.loss_fn(model, batch)
        assert found.targets == len(ready.rows)
        torch.testing.assert_close(found.loss_sum, loss, rtol=1e-5, atol=1e-6)
        found.loss_sum.backward()
        torch.testing.assert_close(gradients(model), expected, rtol=1e-3, atol=2e-5 * float(expected.abs().max()))


def test_weights_are_those_of_torch() -> None:
    lm = body("bert")
    for form, loss_of in (("classification", class_loss), ("multi-label", label_loss)):
        ready = prepared(lm, form)
        model = starting_model(lm.model, ready.architecture, seed=1).eval()
        batch = padded(ready.rows, 0)
        logits, labels = task_logits(model, batch), batch.labels
        assert labels is not None
        weights = tuple(1.0 + n for n in range(logits.shape[1]))
        by_torch: nn.Module = (
            nn.CrossEntropyLoss(torch.tensor(weights), reduction="sum")
            if form == "classification"
            else nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weights), reduction="sum")
        )
        over = 1 if form == "classification" else logits.shape[1]
        torch.testing.assert_close(loss_of(weights)(model, batch).loss_sum, by_torch(logits, labels) / over)


def test_what_is_unpacked_is_each_text_from_its_beginning() -> None:
    documents = torch.tensor([[1, 1, 2, 3, 3, 0], [1, 1, 1, 1, 0, 0]])
    ids = torch.arange(12).view(2, 6)
    states, numbers, texts = unpacked(ids[..., None].float(), documents, ids)
    assert texts.tolist() == [[0, 1, 0, 0], [2, 0, 0, 0], [3, 4, 0, 0], [6, 7, 8, 9]]
    assert numbers.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]]
    assert torch.equal(states[..., 0], texts.float())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_source_must_find_its_target_among_all(family: str) -> None:
    lm = body(family)
    ready = prepared(lm, "embedding")
    model = starting_model(lm.model, ready.architecture, seed=1).eval()

    def vector(ids: torch.Tensor) -> torch.Tensor:
        hidden = model.encode(ids[None]) if model.encoder is not None else model.decode(ids[None])
        return F.normalize(pool(hidden, None, "mean"), dim=-1)[0]

    sides = [[torch.from_numpy(row.input_ids[row.documents == side]) for row in ready.rows] for side in (1, 2)]
    sources, targets = (torch.stack([vector(ids) for ids in side]) for side in sides)
    scores = 20 * sources @ targets.T
    scores[0, 3] = scores[3, 0] = -torch.inf  # the fourth pair has the first one's target
    expected = F.cross_entropy(scores, torch.arange(len(PAIRS)), reduction="sum")
    found = ready.loss_fn(model, padded(ready.rows, 0))
    torch.testing.assert_close(found.loss_sum, expected, rtol=1e-4, atol=1e-5)
    assert found.targets == len(PAIRS)


def test_a_model_without_a_head_is_refused() -> None:
    ids = torch.ones(1, 3, dtype=torch.int64)
    batch = Batch(ids, torch.full_like(ids, IGNORE), labels=torch.tensor([0]))
    loss: LossFn = class_loss()
    with pytest.raises(TrainingError, match="no task head"):
        loss(body("bert").model, batch)
    lm = body("bert")
    headed = starting_model(lm.model, prepared(lm, "regression").architecture, seed=0)
    with pytest.raises(TrainingError, match="no labels"):
        number_loss(headed, Batch(ids, ids))
    assert contrastive_loss(Contrastive()) is not contrastive_loss(Contrastive())
