"""Fine-tuned candidates: the way by the family, settings that are checked beforehand, a task that is learnt."""

from pathlib import Path

import pytest

from tests.compare.tiny import folder_of, splits
from trivium.compare.candidates import FineTuned, parse_candidate
from trivium.compare.spoken import SpokenPredictor
from trivium.compare.tuned import check_tuning, tune
from trivium.data.examples import LabelledText
from trivium.errors import UsageError
from trivium.evaluate.head_predictor import HeadPredictor


def candidate(text: str) -> FineTuned:
    found = parse_candidate(text)
    assert isinstance(found, FineTuned)
    return found


def test_an_encoder_learns_by_a_head(tmp_path: Path) -> None:
    parts = splits(96)
    model = folder_of("bert", tmp_path / "bert")
    found = tune(
        candidate(f"{model}+head:epochs=8,batch=4,learning_rate=5e-3,precision=float32"), parts, tmp_path / "out", 0
    )
    said = found.predictor.predict(parts.held_out)
    right = [a.said == b.label for a, b in zip(said, parts.held_out, strict=True) if isinstance(b, LabelledText)]
    assert sum(right) / len(right) > 0.9
    assert isinstance(found.predictor, HeadPredictor)
    assert found.seconds > 0
    assert found.memory_bytes is not None
    assert found.how["trained"].startswith("head, ")
    assert found.trained_parameters == sum(each.numel() for each in found.lm.model.parameters())


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_what_writes_learns_to_write_its_answer_and_adapters_are_few(family: str, tmp_path: Path) -> None:
    parts = splits(60)
    model = folder_of(family, tmp_path / family)
    found = tune(
        candidate(f"{model}+lora:epochs=0.1,max_tokens=16,lora.rank=2,precision=float32"), parts, tmp_path / "out", 0
    )
    assert isinstance(found.predictor, SpokenPredictor)
    assert found.how["trained"].startswith("text, ")
    assert found.how["learning rate"] == "0.001"
    assert 0 < found.trained_parameters < found.lm.architecture.parameters / 10
    assert len(found.predictor.predict(parts.held_out.pick([0]))) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("m+head:epohcs=2", "In 'm[+]head:epohcs=2': There is no fine-tuning setting 'epohcs'. Did you mean 'epochs'"),
        ("m+head:epochs=-1", "epochs"),
        ("m+head:seed=1", "the seed is that of the comparison"),
        ("m+lora:lora.rnak=2", "lora has no setting 'rnak'"),
        ("m+lora:lora.rank=0", "rank of LoRA must be at least 1"),
        ("m+lora:lora=2", "lora holds 2"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_trained(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_tuning(candidate(text))
