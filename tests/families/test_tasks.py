"""Task heads of every family against `transformers` at tiny size: logits, gradients, dropout, files both ways."""

from pathlib import Path

import pytest
import torch
import transformers as hf

from tests.families.checks import LENGTHS, padding, tokens
from tests.families.tiny import BUILDERS
from trivium.architecture import Architecture
from trivium.families.registry import FAMILIES, family_named
from trivium.families.tasks import TASKS, published
from trivium.model import Transformer
from trivium.weights.folder import load_folder, save_folder
from trivium.weights.names import entries, to_stored

LABELS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC"}
HEADS = [
    (family, task)
    for family in sorted(FAMILIES)
    for task in TASKS.get(family, {})
    if task not in ("model", "encoder") and family in BUILDERS
]
BARE = [
    (family, task)
    for family in sorted(FAMILIES)
    for task in TASKS.get(family, {})
    if task in ("model", "encoder") and family in BUILDERS
]


def oracle(family: str, task: str, **settings: object) -> hf.PreTrainedModel:
    """A tiny random model of the published class, every weight shaken."""
    torch.manual_seed(0)
    config = BUILDERS[family]().config
    if task in ("sequence-classification", "token-classification"):
        config.id2label, config.label2id = LABELS, {label: number for number, label in LABELS.items()}
    elif task == "question-answering":
        config.num_labels = 2
    config.pad_token_id = 1 if config.pad_token_id is None else config.pad_token_id
    if config.is_encoder_decoder:
        config.eos_token_id, config.decoder_start_token_id = 2, 0
    config._attn_implementation = "eager"
    for name, value in settings.items():
        setattr(config, name, value)
    model = getattr(hf, TASKS[family][task].name)(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def inputs(model: hf.PreTrainedModel, left: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Texts of several lengths, the same on either side; where a head looks for an end token each has one."""
    ids, mask = tokens(3, 20), padding(tokens(3, 20), left=False)
    if model.config.is_encoder_decoder:
        for row, length in enumerate(LENGTHS):
            ids[row, length - 1] = model.config.eos_token_id
    ids = ids.masked_fill(mask == 0, model.config.pad_token_id)
    if left:
        ids, mask = (
            torch.stack([line.roll(20 - length) for line, length in zip(rows, LENGTHS, strict=True)])
            for rows in (ids, mask)
        )
    return ids, mask


def theirs_say(model: hf.PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    said = model(input_ids=ids, attention_mask=mask)
    if hasattr(said, "start_logits"):
        return torch.stack((said.start_logits, said.end_logits), dim=-1)
    return said.seq_relationship_logits if hasattr(said, "seq_relationship_logits") else said.logits


def ours(model: hf.PreTrainedModel, folder: Path) -> Transformer:
    model.save_pretrained(folder)
    return load_folder(folder)


def real(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Of labels a token, those of real tokens."""
    return logits[mask.bool()] if logits.dim() == 3 else logits


@pytest.mark.parametrize(("family", "task"), HEADS)
def test_logits_equal_the_oracle(family: str, task: str, tmp_path) -> None:
    theirs = oracle(family, task)
    model = ours(theirs, tmp_path)
    ids, mask = inputs(theirs)
    with torch.no_grad():
        expected, found = theirs_say(theirs, ids, mask), model.task_logits(ids, mask)
        assert expected.abs().max() > 0.1, "logits near zero would prove nothing"
        torch.testing.assert_close(real(found, mask), real(expected, mask), atol=1e-4, rtol=0)
        left, left_mask = inputs(theirs, left=True)
        shifted = model.task_logits(left, left_mask)
        torch.testing.assert_close(real(shifted, left_mask), real(found, mask), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("family", "task"), HEADS)
def test_gradients_equal_the_oracle(family: str, task: str, tmp_path) -> None:
    theirs = oracle(family, task)
    model = ours(theirs, tmp_path)
    ids, mask = inputs(theirs)
    real(theirs_say(theirs, ids, mask), mask).logsumexp(-1).sum().backward()
    real(model.task_logits(ids, mask), mask).logsumexp(-1).sum().backward()
    page = published(family_named(family), model.architecture)
    gradients = {
        key: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for key, parameter in model.named_parameters()
    }
    found = {entry.stored: to_stored(entry, gradients) for entry in entries(model, page)}
    expected = {key: parameter.grad for key, parameter in theirs.named_parameters() if parameter.grad is not None}
    assert set(expected) <= set(found)
    assert all(not found[key].any() for key in set(found) - set(expected))
    largest = max(float(gradient.norm()) for gradient in expected.values())
    for key, gradient in expected.items():
        allowed = 1e-5 * max(float(gradient.norm()), largest / 100)
        assert float((found[key] - gradient).norm()) < allowed, key


@pytest.mark.parametrize(("family", "task"), HEADS)
def test_dropout_stands_where_the_oracle_has_it(family: str, task: str, tmp_path) -> None:
    """The body's dropout is off: the head's own is what is looked at."""
    theirs = oracle(family, task)
    plain = theirs.config.to_dict()
    off = {name: 0.0 for name, value in plain.items() if isinstance(value, float) and "drop" in name}
    theirs = oracle(family, task, **{**off, "classifier_dropout": 0.5})
    model = ours(theirs, tmp_path)
    ids, mask = inputs(theirs)
    torch.manual_seed(5)
    expected = theirs_say(theirs.train(), ids, mask)
    torch.manual_seed(5)
    found = model.train().task_logits(ids, mask)
    torch.testing.assert_close(real(found, mask), real(expected, mask), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("family", "task"), HEADS + BARE)
def test_a_folder_goes_round_and_opens_in_transformers(family: str, task: str, tmp_path) -> None:
    theirs = oracle(family, task)
    model = ours(theirs, tmp_path / "in")
    save_folder(tmp_path / "out", model, {"pad_token_id": theirs.config.pad_token_id})
    again = load_folder(tmp_path / "out")
    assert again.architecture == model.architecture
    assert dict(again.named_parameters()).keys() == dict(model.named_parameters()).keys()
    opened, report = type(theirs).from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), report
    for key, parameter in theirs.named_parameters():
        assert torch.equal(parameter, opened.get_parameter(key)), key
    assert opened.config.id2label == theirs.config.id2label
    if (family, task) in HEADS:
        ids, mask = inputs(theirs)
        with torch.no_grad():
            expected = theirs_say(opened.eval(), ids, mask)
            torch.testing.assert_close(
                real(model.task_logits(ids, mask), mask), real(expected, mask), atol=1e-4, rtol=0
            )


@pytest.mark.parametrize(("family", "task"), HEADS + BARE)
def test_parameters_are_counted_as_the_oracle_holds_them(family: str, task: str, tmp_path) -> None:
    theirs = oracle(family, task)
    architecture: Architecture = ours(theirs, tmp_path).architecture
    assert architecture.parameters == sum(parameter.numel() for parameter in theirs.parameters())
