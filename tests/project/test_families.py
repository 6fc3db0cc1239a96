"""A project trains every family, and what `transformers` has opens there with the same logits."""

from pathlib import Path

import pytest
import torch
import transformers as hf

from trivium.errors import TriviumError
from trivium.export import export_model
from trivium.families.registry import FAMILIES
from trivium.language_model import load
from trivium.project.read import parse_project
from trivium.project.run import run_project

TEXT = "The with statement is used to wrap the execution of a block."


@pytest.fixture(scope="module")
def out(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("families") / "out"
    content = {
        "scope": {"name": "families", "out": str(out), "seed": 3, "minutes": 1},
        "data": {"mix": [{"path": str(corpus)}], "held_out": 0.1, "length": 64},
        "model": {"families": list(FAMILIES), "vocabulary": 700, "dim": 32, "tokens_per_parameter": 0.1},
        "train": {"batch_tokens": 512, "learning_rate": 0.01, "precision": "float32", "validate_every": 50},
        "evaluate": {
            "rows": 8,
            "masks": ["The [MASK] is an object."],
            "prompts": ["The statement"],
            "spans": ["The <extra_id_0> is an object."],
            "max_tokens": 4,
        },
    }
    assert run_project(parse_project(content)).finished
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_a_trained_model_is_exported_and_opens_in_transformers(name: str, out: Path, tmp_path: Path) -> None:
    lm = load(out / name, device="cpu")
    ids = torch.tensor([lm.tokenizer.encode(TEXT)])
    extra = {"decoder_input_ids": ids[:, :5]} if lm.architecture.kind == "encoder-decoder" else {}
    logits = lm.logits(ids, None, *extra.values())
    assert bool(logits.isfinite().all())
    exported = tmp_path / "exported"
    assert export_model(out / name, exported).parity.passed
    if not hasattr(hf, FAMILIES[name].classes):
        return  # Trivium's own form: there is no one else to open it
    theirs = getattr(hf, FAMILIES[name].classes).from_pretrained(exported).eval()
    with torch.no_grad():
        torch.testing.assert_close(logits, theirs(input_ids=ids, **extra).logits, atol=1e-4, rtol=0)
    assert hf.AutoTokenizer.from_pretrained(exported)(TEXT, add_special_tokens=False).input_ids == ids[0].tolist()


@pytest.mark.parametrize("objective", ["next-sentence", pytest.param("sentence-order", marks=pytest.mark.slow)])
def test_bert_of_sentence_pairs_opens_in_transformers(objective: str, small: dict) -> None:
    """Both heads say the same there, of a pair of sentences."""
    small["model"] |= {"families": ["bert"], "tokens_per_parameter": 0.2, "objectives": {"bert": objective}}
    assert run_project(parse_project(small)).finished
    folder = Path(small["scope"]["out"]) / "bert"
    lm = load(folder, device="cpu")
    theirs, found = hf.BertForPreTraining.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values())
    ids = torch.tensor([lm.tokenizer.encode(TEXT)])
    segments = (torch.arange(ids.shape[1]) > 5).long()[None]
    with torch.no_grad():
        said = theirs.eval()(ids, token_type_ids=segments)
        hidden = lm.model.hidden(ids, segments=segments)
        torch.testing.assert_close(lm.model.head(hidden), said.prediction_logits, atol=1e-4, rtol=0)
        labels = lm.model.task_logits(ids, None, segments)
        torch.testing.assert_close(labels, said.seq_relationship_logits, atol=1e-4, rtol=0)


def test_a_family_without_a_head_for_pairs_is_refused(small: dict) -> None:
    small["model"] |= {"families": ["roberta"], "objectives": {"roberta": "next-sentence"}}
    with pytest.raises(TriviumError, match="no published class of roberta has one"):
        parse_project(small)
