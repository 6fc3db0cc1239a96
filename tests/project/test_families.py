"""A project trains every family, and what `transformers` has opens there with the same logits."""

from pathlib import Path

import pytest
import torch
import transformers as hf

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
        "model": {"families": list(FAMILIES), "vocabulary": 700, "dim": 32, "tokens_per_parameter": 0.2},
        "train": {"batch_tokens": 512, "learning_rate": 0.01, "precision": "float32"},
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
def test_a_trained_model_opens_in_transformers(name: str, out: Path) -> None:
    lm = load(out / name, device="cpu")
    ids = torch.tensor([lm.tokenizer.encode(TEXT)])
    extra = {"decoder_input_ids": ids[:, :5]} if lm.architecture.kind == "encoder-decoder" else {}
    logits = lm.logits(ids, None, *extra.values())
    assert bool(logits.isfinite().all())
    if not hasattr(hf, FAMILIES[name].classes):
        return  # Trivium's own form: there is no one else to open it
    theirs = getattr(hf, FAMILIES[name].classes).from_pretrained(out / name).eval()
    with torch.no_grad():
        torch.testing.assert_close(logits, theirs(input_ids=ids, **extra).logits, atol=1e-4, rtol=0)
    assert hf.AutoTokenizer.from_pretrained(out / name)(TEXT, add_special_tokens=False).input_ids == ids[0].tolist()
