"""Adapters with the head of a task: ours in PEFT, PEFT's here, and what does not fit."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import peft
import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from tests.adapt.adapters import INPUTS, adapted, in_peft, peft_adapter
from tests.families.tiny import oracle, ours
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import adapted_layers
from trivium.adapt.peft_folder import save_adapter
from trivium.adapt.put_adapter import put_adapter
from trivium.architecture import SequenceLabels, TokenLabels
from trivium.errors import ModelError
from trivium.model import Transformer
from trivium.weights.folder import load_folder
from trivium.weights.fresh import FreshHead

LABELS = ("bad", "fine", "good")
CLASSES = {
    "bert": hf.BertForSequenceClassification,
    "roberta": hf.RobertaForSequenceClassification,
    "gpt2": hf.GPT2ForSequenceClassification,
    "t5": hf.T5ForSequenceClassification,
    "llama": hf.LlamaForSequenceClassification,
}


def read(family: str) -> torch.Tensor:
    """T5 reads a text at its end token, which for RoBERTa is padding."""
    return torch.cat([INPUTS, torch.ones(2, 1, dtype=torch.long)], dim=1) if family == "t5" else INPUTS


def classifier(family: str, folder: Path, task: str = "sequence-classification") -> Transformer:
    """A fresh head over a base in `folder`."""
    oracle(family).save_pretrained(folder)
    return load_folder(folder, task=FreshHead(task, LABELS))


def theirs_on(base: Path, family: str, adapter: Path) -> peft.PeftModel:
    """The same in PEFT: transformers draws the head, PEFT puts the adapter's in its place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = CLASSES[family].from_pretrained(base, config=hf.AutoConfig.from_pretrained(adapter))
        whole.config.pad_token_id = 0
    return in_peft(whole, adapter)


@pytest.mark.parametrize("family", CLASSES)
def test_a_classifier_s_adapter_opens_in_peft(family: str, tmp_path: Path) -> None:
    model = adapted(classifier(family, tmp_path / "base"), Lora(targets=("*attention*",)))
    save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    said = model.task_logits(read(family))
    with torch.no_grad():
        theirs = theirs_on(tmp_path / "base", family, tmp_path / "adapter")(input_ids=read(family)).logits
    torch.testing.assert_close(said, theirs, atol=1e-5, rtol=1e-5)
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config["task_type"] == "SEQ_CLS"


@pytest.mark.parametrize("family", CLASSES)
def test_a_classifier_s_adapter_brings_its_head(family: str, tmp_path: Path) -> None:
    model = adapted(classifier(family, tmp_path / "base"), Lora())
    save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    base = load_folder(tmp_path / "base")
    assert base.head is not None
    again = put_adapter(base, tmp_path / "adapter")
    assert isinstance(again.architecture.task, SequenceLabels)
    assert again.architecture.task.labels == LABELS
    torch.testing.assert_close(again.task_logits(read(family)), model.task_logits(read(family)), atol=1e-6, rtol=1e-5)
    assert base.task is None  # the base is what it was
    assert base.head is not None


def test_an_adapter_changes_the_head_of_its_copy_alone(tmp_path: Path) -> None:
    base = classifier("bert", tmp_path / "base")
    before = base.task.projection.weight.clone()
    model = adapted(load_folder(tmp_path / "base", task=FreshHead("sequence-classification", LABELS)), Lora())
    with torch.no_grad():
        model.task.projection.weight.add_(1)
    save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    again = put_adapter(base, tmp_path / "adapter")
    assert torch.equal(again.task.projection.weight, model.task.projection.weight)
    assert torch.equal(base.task.projection.weight, before)


def test_a_tagger_s_adapter(tmp_path: Path) -> None:
    model = adapted(classifier("bert", tmp_path / "base", "token-classification"), Lora())
    save_adapter(tmp_path / "adapter", model, tmp_path / "base")
    again = put_adapter(load_folder(tmp_path / "base"), tmp_path / "adapter")
    assert isinstance(again.architecture.task, TokenLabels)
    torch.testing.assert_close(again.task_logits(INPUTS), model.task_logits(INPUTS))


@pytest.mark.parametrize(("family", "targets"), [("bert", ["query"]), ("gpt2", ["c_attn"]), ("roberta", ["value"])])
def test_peft_s_classifier_is_read_by_its_task_type(family: str, targets: list[str], tmp_path: Path) -> None:
    torch.manual_seed(0)
    kept = oracle(family)
    config = type(kept.config).from_dict({**kept.config.to_dict(), "num_labels": 3, "pad_token_id": 0})
    whole = CLASSES[family](config).eval()
    base = ours(whole, tmp_path / "base")  # its head of another beginning
    whole_head = [name for name, _ in whole.named_parameters() if "classif" in name or "score" in name]
    theirs = peft_adapter(whole, tmp_path / "adapter", targets, task_type="SEQ_CLS")
    with torch.no_grad():
        for name, weight in theirs.named_parameters():
            if "modules_to_save" in name:
                weight.add_(0.5)
        theirs.save_pretrained(tmp_path / "adapter")
        expected = theirs(input_ids=INPUTS).logits
    assert whole_head
    model = put_adapter(base, tmp_path / "adapter")
    assert adapted_layers(model)
    torch.testing.assert_close(model.task_logits(INPUTS), expected, atol=1e-5, rtol=1e-5)
    if family != "bert":  # on a bare model too; of BERT's, the pooler must be there
        language_model = _without_head(base)
        again = put_adapter(language_model, tmp_path / "adapter")
        torch.testing.assert_close(again.task_logits(INPUTS), expected, atol=1e-5, rtol=1e-5)
        assert again.architecture.task.labels == ("LABEL_0", "LABEL_1", "LABEL_2")


def _without_head(classifier: Transformer) -> Transformer:
    bare = Transformer(replace(classifier.architecture, task=None))
    own = {name: weight for name, weight in classifier.state_dict().items() if not name.startswith("task.")}
    bare.load_state_dict(own)
    return bare.eval()


def test_a_head_that_nothing_describes_or_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    model = adapted(classifier("bert", tmp_path / "base"), Lora())
    adapter, base = tmp_path / "adapter", load_folder(tmp_path / "base")
    save_adapter(adapter, model, tmp_path / "base")
    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    pooler = "base_model.model.bert.pooler.dense.weight"
    save_file({name: tensor for name, tensor in tensors.items() if name != pooler}, path)
    with pytest.raises(ModelError, match=r"'task\.transform\.weight' of the head .* neither does the base"):
        put_adapter(base, adapter)
    save_file({**tensors, pooler: torch.zeros(3, 3)}, path)
    with pytest.raises(ModelError, match=r"bert\.pooler\.dense\.weight' as \(3, 3\)"):
        put_adapter(base, adapter)
    save_file(tensors, path)
    (adapter / "config.json").unlink()
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "task_type": "CAUSAL_LM"}))
    with pytest.raises(ModelError, match="'CAUSAL_LM' names no head that a bert has here: SEQ_CLS"):
        put_adapter(base, adapter)
