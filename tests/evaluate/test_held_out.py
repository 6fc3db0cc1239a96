"""The held-out score against a direct computation over every target."""

import json

import pytest
import torch
import torch.nn.functional as F

from tests.train.tiny import KINDS, VOCAB, batch, build, micro_batches
from trivium.evaluate.held_out import HeldOutScore, score_held_out
from trivium.objectives.batch import IGNORE, Batch

TOKEN_BYTES = torch.arange(VOCAB) % 7
IS_TEXT = torch.arange(VOCAB) >= 10  # ids below ten stand for marks
COMMONEST = 17


def held_out(kind: str) -> list[Batch]:
    """Three batches, where the commonest token is a target now and then."""
    batches = [batch(kind, step) for step in (1, 2, 3)]
    for each in batches:
        each.targets[1:3, 0] = COMMONEST
    return batches


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_is_the_direct_computation(kind: str) -> None:
    model, batches = build(kind).train(), held_out(kind)
    found = score_held_out(model, batches, TOKEN_BYTES, IS_TEXT, COMMONEST)
    assert model.training, "the mode is given back"

    model.eval()
    losses, goals, choices, read = [], [], [], []
    for each in batches:
        with torch.no_grad():
            logits = model(each.input_ids, each.documents, each.decoder_input_ids, each.decoder_documents)
        losses.append(F.cross_entropy(logits.flatten(0, 1), each.targets.flatten(), reduction="none"))
        here = each.targets != IGNORE
        goals += each.targets[here].tolist()
        choices += (logits[..., 10:].argmax(-1) + 10)[here].tolist()
        read += (each.input_ids[here] if kind == "encoder" else torch.full_like(each.targets[here], -1)).tolist()
    text = [
        (goal, choice) for goal, choice, seen in zip(goals, choices, read, strict=True) if goal >= 10 and goal != seen
    ]
    assert len(text) < len(goals)
    assert found.validation.targets == len(goals)
    assert found.validation.loss == pytest.approx(float(torch.cat(losses).sum()) / len(goals), rel=1e-5)
    assert found.validation.bytes == sum(goal % 7 for goal in goals)
    assert found.text_targets == len(text)
    assert found.accuracy == sum(goal == choice for goal, choice in text) / len(text)
    assert found.unigram_accuracy == sum(goal == COMMONEST for goal, _ in text) / len(text) > 0
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_how_rows_are_cut_changes_nothing(kind: str) -> None:
    model, batches = build(kind), held_out(kind)
    whole = score_held_out(model, batches, TOKEN_BYTES, IS_TEXT, COMMONEST)
    parts = [part for each in batches for part in micro_batches(each, 4)]
    cut = score_held_out(model, parts, TOKEN_BYTES, IS_TEXT, COMMONEST)
    assert cut.validation.loss == pytest.approx(whole.validation.loss, rel=1e-6)
    assert (cut.accuracy, cut.unigram_accuracy) == (whole.accuracy, whole.unigram_accuracy)
    assert (cut.validation.targets, cut.text_targets) == (whole.validation.targets, whole.text_targets)


def test_a_model_that_knows_the_answer_is_always_right() -> None:
    """A head whose bias shouts one id, on targets of that id only."""
    model = build("encoder")
    with torch.no_grad():
        model.head.projection.bias[COMMONEST] = 100.0
    ids = torch.full((2, 5), COMMONEST)
    found = score_held_out(model, [Batch(ids + 2, ids)], TOKEN_BYTES, IS_TEXT, COMMONEST)
    assert (found.accuracy, found.unigram_accuracy) == (1.0, 1.0)
    assert found.validation.loss < 1e-5
    missed = score_held_out(model, [Batch(ids + 2, ids + 1)], TOKEN_BYTES, IS_TEXT, COMMONEST)
    assert (missed.accuracy, missed.unigram_accuracy) == (0.0, 0.0)
    assert missed.validation.loss > 90


def test_marks_alone_leave_nothing_to_be_right_about() -> None:
    ids = torch.full((2, 5), 3)
    found = score_held_out(build(), [Batch(ids, ids)], TOKEN_BYTES, IS_TEXT, COMMONEST)
    assert (found.accuracy, found.text_targets, found.validation.targets) == (0.0, 0, 10)


def test_a_batch_without_targets_counts_nothing() -> None:
    model, (some, *_) = build(), held_out("decoder")
    none = Batch(some.input_ids, torch.full_like(some.targets, IGNORE), some.documents)
    alone = score_held_out(model, [some], TOKEN_BYTES, IS_TEXT, COMMONEST)
    assert score_held_out(model, [none, some], TOKEN_BYTES, IS_TEXT, COMMONEST) == alone


def test_it_goes_through_a_report() -> None:
    found = score_held_out(build(), held_out("decoder"), TOKEN_BYTES, IS_TEXT, COMMONEST)
    assert HeldOutScore.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_what_an_encoder_can_read_is_not_counted() -> None:
    """The targets that BERT leaves in place: a model that copies gets nothing for them."""
    ids = torch.full((2, 5), COMMONEST)
    changed = ids.clone()
    changed[0, :3] = 30
    found = score_held_out(build("encoder"), [Batch(changed, ids)], TOKEN_BYTES, IS_TEXT, COMMONEST)
    assert (found.text_targets, found.validation.targets) == (3, 10)
