"""Task heads of every family against `transformers` at tiny size: logits, gradients, dropout, files both ways."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers as hf

from tests.families.checks import LENGTHS, padding, tokens
from tests.families.tiny import BUILDERS
from trivium.architecture import Architecture, SequenceLabels, Spans, Task, TokenLabels
from trivium.errors import ModelError
from trivium.families.registry import architecture_of_config, family_named
from trivium.families.tasks import TASKS, as_held, published
from trivium.model import Transformer
from trivium.weights.folder import load_folder, save_folder
from trivium.weights.names import entries, to_stored

LABELS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC"}
CASES = [(name, task) for name in BUILDERS for task in TASKS.get(name.split()[0], {})]
#: The tiny models of every family and the heads that it is published with, and the classes that have none.
HEADS = [(name, task) for name, task in CASES if task not in ("model", "encoder")]
BARE = [(name, task) for name, task in CASES if task in ("model", "encoder")]


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
    model = getattr(hf, TASKS[family.split()[0]][task].name)(config)
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
    page = published(family_named(model.architecture.family), model.architecture)
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


#: The published sizes, whose classes in `transformers` hold these numbers of unique parameters.
BERT = {"model_type": "bert", "vocab_size": 30_522, "max_position_embeddings": 512}
ROBERTA = {"model_type": "roberta", "vocab_size": 50_265, "max_position_embeddings": 514, "type_vocab_size": 1}
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}


@pytest.mark.parametrize(
    ("config", "name", "expected"),
    [
        (BERT | BASE, "BertModel", 109_482_240),
        (BERT | BASE, "BertForMaskedLM", 109_514_298),
        (BERT | BASE, "BertForPreTraining", 110_106_428),
        (BERT | BASE, "BertForSequenceClassification", 109_482_240 + 2 * 769),
        (BERT | BASE, "BertForQuestionAnswering", 108_891_648 + 2 * 769),
        (BERT | LARGE, "BertModel", 335_141_888),
        (BERT | LARGE, "BertForMaskedLM", 335_174_458),
        (BERT | LARGE, "BertForPreTraining", 336_226_108),
        (BERT | BASE | {"vocab_size": 28_996}, "BertModel", 108_310_272),
        (BERT | LARGE | {"vocab_size": 28_996}, "BertModel", 333_579_264),
        (ROBERTA | BASE, "RobertaModel", 124_645_632),
        (ROBERTA | BASE, "RobertaForMaskedLM", 124_697_433),
        (ROBERTA | LARGE, "RobertaModel", 355_359_744),
        (ROBERTA | LARGE, "RobertaForMaskedLM", 355_412_057),
    ],
)
def test_published_counts(config: dict, name: str, expected: int) -> None:
    assert architecture_of_config({**config, "architectures": [name]}).parameters == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (BERT | BASE, 108_891_648),
        (BERT | LARGE, 334_092_288),
        (ROBERTA | BASE, 124_055_040),
        (ROBERTA | LARGE, 354_310_144),
    ],
)
def test_published_counts_without_the_pooler(config: dict, expected: int) -> None:
    name = "BertModel" if config["model_type"] == "bert" else "RobertaModel"
    architecture = architecture_of_config({**config, "architectures": [name]})
    assert as_held(architecture, ["embeddings.word_embeddings.weight"]).parameters == expected
    assert as_held(architecture, ["pooler.dense.weight"]) == architecture


def test_labels_are_kept_as_published(tmp_path) -> None:
    theirs = oracle("bert", "sequence-classification", problem_type="multi_label_classification")
    model = ours(theirs, tmp_path / "in")
    task = model.architecture.task
    assert isinstance(task, SequenceLabels)
    assert (task.labels, task.problem) == (tuple(LABELS.values()), "multi_label_classification")
    save_folder(tmp_path / "out", model)
    config = hf.AutoConfig.from_pretrained(tmp_path / "out")
    assert (config.id2label, config.problem_type) == (LABELS, "multi_label_classification")
    assert config.label2id == {label: number for number, label in LABELS.items()}


@pytest.mark.parametrize("name", ["XLMRobertaForTokenClassification", "CamembertForTokenClassification"])
def test_relatives_have_the_heads_of_their_family(name: str) -> None:
    kind = "xlm-roberta" if name.startswith("XLM") else "camembert"
    config = {**ROBERTA, **BASE, "model_type": kind, "architectures": [name], "id2label": {"0": "O", "1": "B"}}
    assert architecture_of_config(config).task == TokenLabels(("O", "B"), dropout=0.1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("BertForMultipleChoice", "BertForMultipleChoice, whose head is not known here.*BertForMaskedLM, BertModel"),
        ("BertForQuestionAnswering", "two outputs, start and end"),
    ],
)
def test_heads_that_are_not_known(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        architecture_of_config({**BERT, **BASE, "architectures": [name], "num_labels": 3})


@pytest.mark.parametrize(
    ("family", "task"),
    [("bert", SequenceLabels(("a", "b"), pool="mean")), ("opt", TokenLabels(("a", "b"))), ("transformer", Spans())],
)
def test_a_head_that_no_class_has_is_not_written_as_another(family: str, task: Task) -> None:
    size = {"vocab": 50, "dim": 8, "depth": 2, "heads": 2, "positions": 16}
    architecture = replace(family_named(family).preset(**size), head=None, task=task)
    with pytest.raises(ModelError, match=r"no class fits it|No published class"):
        published(family_named(family), architecture).write_config(architecture)


def test_a_bare_decoder_that_shares_its_table_is_a_language_model(tmp_path) -> None:
    """GPT-2's bare model lacks nothing; LLaMA's lacks its head."""
    assert ours(oracle("gpt2", "model"), tmp_path / "gpt2").head is not None
    assert ours(oracle("llama", "model"), tmp_path / "llama").head is None


def test_what_a_file_holds_beyond_its_config_is_left_out(tmp_path) -> None:
    """A bare config over the file of a whole model, as `transformers` reads it."""
    theirs = oracle("bert", "pre-training")
    theirs.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"architectures": ["BertModel"]}))
    model = load_folder(tmp_path)
    assert model.head is None
    assert torch.equal(model.task.transform.weight, theirs.bert.pooler.dense.weight)
