"""Loss and gradient are those of transformers' own heads, on the folder that the model is saved to."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from tests.finetune.tiny import EXAMPLES, PAIRS, body, prepared
from trivium.architecture import SequenceLabels
from trivium.data.examples import Examples, LabelledText
from trivium.errors import DataError
from trivium.finetune.classification import prepare_classification
from trivium.finetune.heads import starting_model
from trivium.finetune.settings import FineTuneSettings
from trivium.objectives.collate import packed
from trivium.weights.folder import save_folder

PROBLEMS = {
    "classification": "single_label_classification",
    "multi-label": "multi_label_classification",
    "regression": "regression",
}


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5"])
@pytest.mark.parametrize("form", EXAMPLES)
def test_loss_and_gradient_are_those_of_transformers(family: str, form: str, tmp_path: Path) -> None:
    lm = body(family)
    ready = prepared(lm, form)
    model = starting_model(lm.model, ready.architecture, seed=1).eval()
    save_folder(tmp_path, model)
    theirs = hf.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert theirs.config.problem_type == PROBLEMS[form]
    total = torch.zeros(())
    for row in ready.rows:
        label = torch.tensor([row.label])
        total = total + theirs(torch.from_numpy(row.input_ids)[None], labels=label).loss
    total.backward()
    ours = ready.loss_fn(model, packed(ready.rows, ready.pad, 40))
    torch.testing.assert_close(ours.loss_sum, total, rtol=1e-4, atol=1e-5)
    ours.loss_sum.backward()
    table = theirs.get_input_embeddings().weight.grad
    found = model.tokens.weight.grad
    assert found is not None
    torch.testing.assert_close(found, table, rtol=1e-3, atol=1e-5 * float(table.abs().max()))


def test_labels_become_numbers() -> None:
    lm = body("bert")
    labels = {form: [row.label for row in prepared(lm, form).rows] for form in EXAMPLES}
    assert labels["classification"] == [1, 0, 2, 1, 0]
    assert labels["multi-label"] == [(1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)]
    assert labels["regression"] == [-1.0, -0.5, 0.0, 0.5, 1.0]


def test_a_pair_is_read_together() -> None:
    lm = body("bert")
    pair = Examples("classification", (LabelledText(("Nobody knew.", "The dog sat."), "a"),), "pairs")
    row = prepare_classification(lm, pair, ("a", "b"), FineTuneSettings()).rows[0]
    encoding = lm.tokenizer.framed("Nobody knew.", "The dog sat.")
    assert row.input_ids.tolist() == encoding.ids
    assert row.segments is not None
    assert np.array_equal(row.segments, encoding.type_ids)


def test_a_label_of_the_held_out_examples_that_is_not_taught_is_an_error() -> None:
    with pytest.raises(DataError, match="have the label 'c', which the model is not taught"):
        prepare_classification(body("bert"), EXAMPLES["classification"], ("a", "b"), FineTuneSettings())
    with pytest.raises(DataError, match="holds examples of text-to-text, and a label for each text needs"):
        prepare_classification(body("bert"), PAIRS, ("a", "b"), FineTuneSettings())


def test_the_head_says_what_the_labels_are() -> None:
    task = prepared(body("bert"), "classification").architecture.task
    assert isinstance(task, SequenceLabels)
    assert task.labels == ("a", "b", "c")
