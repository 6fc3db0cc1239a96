"""Losses and gradients are those of the heads of `transformers`, packed and padded alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from tests.tasks.tiny import headed
from trivium.language_model import LanguageModel
from trivium.objectives.batch import IGNORE
from trivium.objectives.collate import collate, packed, padded
from trivium.objectives.extraction import span_row
from trivium.objectives.row import Row
from trivium.objectives.tag import tag_row
from trivium.train.loss import LossFn
from trivium.train.word_loss import span_loss, tag_loss

LENGTHS = (7, 12, 9, 12, 3)


def ids(length: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(5, 200, length)


def tag_rows() -> list[Row]:
    rows = []
    for seed, length in enumerate(LENGTHS):
        rng = np.random.default_rng(seed + 100)
        firsts = sorted(rng.choice(length, length // 2, replace=False).tolist())
        rows.append(tag_row(ids(length, seed), None, firsts, rng.integers(0, 3, len(firsts))))
    return rows


def span_rows() -> list[Row]:
    spans = [(2, 4), None, (0, 8), (11, 11), (1, 2)]
    return [
        span_row(ids(length, seed), None, span) for seed, (length, span) in enumerate(zip(LENGTHS, spans, strict=True))
    ]


def gradients(lm: LanguageModel, rows: list[Row], loss_fn: LossFn, how: str) -> tuple[float, dict[str, torch.Tensor]]:
    lm.model.zero_grad()
    match how:
        case "padded":
            batch = padded(rows, 0)
        case "packed":
            batch = packed(rows, 0, 24)
        case _:
            batch = collate(rows)
    said = loss_fn(lm.model, batch)
    mean = said.loss_sum / said.targets
    mean.backward()  # type: ignore[no-untyped-call]
    found = {name: p.grad.clone() for name, p in lm.model.named_parameters() if p.grad is not None}
    return float(mean.detach()), found


def published(lm: LanguageModel, folder: Path, kind: Any) -> Any:
    lm.save(folder)
    return kind.from_pretrained(folder).eval()


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5"])
def test_tags_cost_what_the_head_of_transformers_says(family: str, tmp_path: Path) -> None:
    lm = headed(family, "token-classification")
    theirs = published(lm, tmp_path, hf.AutoModelForTokenClassification)
    batch = padded(tag_rows(), 0)
    mask = torch.tensor([[1] * length + [0] * (max(LENGTHS) - length) for length in LENGTHS])
    said = theirs(input_ids=batch.input_ids, attention_mask=mask, labels=batch.targets)
    said.loss.backward()
    loss, found = gradients(lm, tag_rows(), tag_loss(), "padded")
    assert loss == pytest.approx(float(said.loss.detach()), abs=1e-5)
    head = getattr(theirs, "classifier", None) or theirs.score
    assert torch.allclose(found["task.projection.weight"], head.weight.grad, atol=1e-5)
    assert torch.allclose(found["tokens.weight"], theirs.get_input_embeddings().weight.grad, atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5"])
def test_answers_cost_what_the_head_of_transformers_says(family: str, tmp_path: Path) -> None:
    lm = headed(family, "question-answering", ("LABEL_0", "LABEL_1"))
    theirs = published(lm, tmp_path, hf.AutoModelForQuestionAnswering)
    rows = [span_row(ids(9, seed), None, span) for seed, span in enumerate([(2, 4), None, (8, 8)])]
    batch = collate(rows)
    labels = torch.tensor([row.label for row in rows])
    said = theirs(input_ids=batch.input_ids, start_positions=labels[:, 0], end_positions=labels[:, 1])
    said.loss.backward()
    loss, found = gradients(lm, rows, span_loss, "as they are")
    assert loss == pytest.approx(float(said.loss.detach()), abs=1e-5)
    assert torch.allclose(found["task.projection.weight"], theirs.qa_outputs.weight.grad, atol=1e-5)
    assert torch.allclose(found["tokens.weight"], theirs.get_input_embeddings().weight.grad, atol=1e-5)


@pytest.mark.parametrize("how", ["padded", "packed"])
@pytest.mark.parametrize("family", ["bert", "llama", "t5"])
def test_answers_of_several_lengths_cost_what_each_costs_alone(family: str, how: str) -> None:
    lm = headed(family, "question-answering", ("LABEL_0", "LABEL_1"))
    alone = [gradients(lm, [row], span_loss, "as they are") for row in span_rows()]
    loss, found = gradients(lm, span_rows(), span_loss, how)
    assert loss == pytest.approx(float(np.mean([each for each, _ in alone])), abs=1e-5)
    for name, gradient in found.items():
        assert torch.allclose(gradient, torch.stack([one[name] for _, one in alone]).mean(0), atol=1e-5), name


@pytest.mark.parametrize("family", ["bert", "llama", "t5"])
def test_packed_tags_cost_what_padded_ones_do(family: str) -> None:
    lm = headed(family, "token-classification")
    loss, found = gradients(lm, tag_rows(), tag_loss(), "packed")
    expected, theirs = gradients(lm, tag_rows(), tag_loss(), "padded")
    assert loss == pytest.approx(expected, abs=1e-5)
    assert all(torch.allclose(found[name], theirs[name], atol=1e-5) for name in theirs)


@torch.no_grad()
def test_a_label_weighs_what_it_is_given() -> None:
    lm, batch = headed("bert", "token-classification"), padded(tag_rows(), 0)
    each = []
    for label in range(3):
        targets = torch.where(batch.targets == label, label, IGNORE)
        one = type(batch)(batch.input_ids, targets, batch.documents)
        each.append(float(tag_loss()(lm.model, one).loss_sum))
    said = tag_loss((2.0, 0.5, 3.0))(lm.model, batch)
    assert float(said.loss_sum) == pytest.approx(2 * each[0] + 0.5 * each[1] + 3 * each[2], rel=1e-5)
    assert said.targets == sum(length // 2 for length in LENGTHS)
