"""The start of a fine-tuning: the body is the file's, the head is drawn by the seed, and the folder opens elsewhere."""

import json
from pathlib import Path

import pytest
import torch
import transformers as hf

from tests.families.tiny import BUILDERS, oracle
from trivium.errors import ModelError, UsageError
from trivium.families.tasks import TASKS
from trivium.weights.folder import load_folder, save_folder
from trivium.weights.fresh import FreshHead

LABELS = ("O", "B-PER", "I-PER")
STARTS = [
    (family, task)
    for family in sorted(TASKS)
    for task in TASKS[family]
    if family in BUILDERS and task in ("sequence-classification", "token-classification", "question-answering")
]


@pytest.mark.parametrize(("family", "task"), STARTS)
def test_a_language_model_gets_a_head_that_transformers_opens(family: str, task: str, tmp_path: Path) -> None:
    theirs = oracle(family)
    theirs.save_pretrained(tmp_path / "in")
    model = load_folder(tmp_path / "in", task=FreshHead(task, () if task == "question-answering" else LABELS, seed=3))
    assert model.head is None
    assert not model.training
    body = dict(load_folder(tmp_path / "in").named_parameters())
    for name, parameter in model.named_parameters():
        if name.startswith("task."):
            assert parameter.isfinite().all()
            assert name.endswith("bias") or parameter.std() > 0
        else:
            assert torch.equal(parameter, body[name]), name
    save_folder(tmp_path / "out", model, {"pad_token_id": 1, "eos_token_id": 2})
    opened, report = getattr(hf, TASKS[family][task].name).from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), report
    if task != "question-answering":
        assert tuple(opened.config.id2label.values()) == LABELS


def test_the_seed_is_all_that_draws(tmp_path: Path) -> None:
    oracle("bert").save_pretrained(tmp_path)
    first, again, other = (
        load_folder(tmp_path, task=FreshHead("token-classification", LABELS, seed=seed)).task.projection.weight
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_berts_pooler_is_kept_and_robertas_is_not(tmp_path: Path) -> None:
    """As in transformers: RoBERTa's classifier has a dense layer of its own, under another name."""
    config = BUILDERS["bert"]().config
    for name, kind, shared in (("bert", hf.BertModel, True), ("roberta", hf.RobertaModel, False)):
        config = BUILDERS[name]().config
        theirs = kind(config)
        theirs.save_pretrained(tmp_path / name)
        model = load_folder(tmp_path / name, task=FreshHead("sequence-classification", LABELS))
        assert torch.equal(model.task.transform.weight, theirs.pooler.dense.weight) == shared


def test_a_pretrained_bert_keeps_its_pooler_too(tmp_path: Path) -> None:
    theirs = hf.BertForPreTraining(BUILDERS["bert"]().config)
    theirs.save_pretrained(tmp_path)
    model = load_folder(tmp_path, task=FreshHead("sequence-classification", LABELS))
    assert torch.equal(model.task.transform.weight, theirs.bert.pooler.dense.weight)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"architectures": ["BertForMaskedLM"]}))
    model = load_folder(tmp_path, task=FreshHead("sequence-classification", LABELS))
    assert torch.equal(model.task.transform.weight, theirs.bert.pooler.dense.weight)


@pytest.mark.parametrize("family", ["bert", "llama", "t5"])
def test_one_task_starts_from_another(family: str, tmp_path: Path) -> None:
    """Names of the body differ between the classes of T5, and of LLaMA."""
    config = BUILDERS[family]().config
    config.num_labels = 5
    theirs = getattr(hf, TASKS[family]["sequence-classification"].name)(config)
    theirs.save_pretrained(tmp_path)
    model = load_folder(tmp_path, task=FreshHead("token-classification", LABELS))
    assert len(model.architecture.task.labels) == 3
    embedding = theirs.get_input_embeddings().weight
    assert torch.equal(model.tokens.weight, embedding)


@pytest.mark.parametrize(
    ("family", "head", "error", "said"),
    [
        ("opt", FreshHead("token-classification", LABELS), UsageError, "no head 'token-classification' for opt"),
        ("bert", FreshHead("sequence-classification"), UsageError, "needs its labels"),
        ("bert", FreshHead("model"), UsageError, "There are: sequence-classification, token-classification"),
    ],
)
def test_what_cannot_start(family: str, head: FreshHead, error: type, said: str, tmp_path: Path) -> None:
    if family not in BUILDERS:
        pytest.skip(f"{family} is not here yet")
    oracle(family).save_pretrained(tmp_path)
    with pytest.raises(error, match=said):
        load_folder(tmp_path, task=head)


def test_an_encoder_alone_starts_no_pair(tmp_path: Path) -> None:
    hf.T5EncoderModel(BUILDERS["t5"]().config).save_pretrained(tmp_path)
    assert load_folder(tmp_path, task=FreshHead("token-classification", LABELS)).decoder is None
    with pytest.raises(ModelError, match="T5ForSequenceClassification has a decoder or a head that this model lacks"):
        load_folder(tmp_path, task=FreshHead("sequence-classification", LABELS))
