"""How a recommendation says itself."""

from dataclasses import FrozenInstanceError

import pytest

from trivium.plan.recommendation import COLUMNS
from trivium.plan.which import which


def test_the_text_has_choice_runner_up_reasons_numbers_and_assumptions() -> None:
    found = which("summarisation", device="l4", latency_ms=5000)
    text = str(found)
    title, _, *rest = text.splitlines()
    assert title == f"Fine-tune {found.model.name}: encoder-decoder, {found.choice.size_class} parameters"
    assert rest[0].split() == [word for column in COLUMNS for word in column.split()]
    assert rest[1].startswith("choice     t5 ")
    assert rest[2].startswith("runner-up  llama ")
    for word in ("task", "why", "unless", "or decoder", "start", "memory", "larger", "time", "compute", "assumed"):
        assert any(line.startswith(f"{word}: ") for line in rest), word
    assert "Wang et al. 2022" in text


def test_the_memory_line_adds_up() -> None:
    found = which("generation", device="a100-sxm-80")
    taken = found.model.serving
    line = dict(found.lines())["memory"]
    assert f"= {taken.memory_bytes / 1e9:.3g} GB; the limit is 80 GB" in line
    assert taken.memory_bytes == round(1.2 * taken.weight_bytes) + taken.cache_bytes


def test_adaptations_and_table_3_where_a_model_is_prompted() -> None:
    lines = dict(which("translation", examples=0).lines())
    assert "51B tokens more, 3.3 times faster than from scratch, 1.3 times" in lines["NC-A"]
    assert "105B tokens more, 1.6 times faster than from scratch, 1.6 times" in lines["LM-A"]
    assert "44.2 / 42.4" in lines["zero-shot"]
    assert "NC-A" not in dict(which("translation").lines())


def test_the_compute_line_is_the_rule_in_numbers() -> None:
    found = which("translation", device="l4", input_tokens=100, output_tokens=100)
    pair = found.model
    whole = 6 * pair.non_embedding_parameters * 200
    line = dict(found.lines())["compute"]
    assert f"{pair.training_flops:.3g} FLOPs, a decoder as large in {whole:.3g}" in line
    # The decoder's cross-attention makes the pair's halves uneven, but equal lengths weigh them alike.
    assert pair.training_flops == pytest.approx(whole / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("memory_gb", "size_class"),
    [(0.2, "under 100M"), (1, "100M to 1B"), (20, "1B to 10B"), (80, "10B to 100B"), (1000, "above 100B")],
)
def test_size_classes(memory_gb: float, size_class: str) -> None:
    found = which("generation" if memory_gb > 0.5 else "translation", memory_gb=memory_gb)
    assert found.choice.size_class == size_class


def test_fine_tuning_that_does_not_fit_the_device_is_said() -> None:
    found = which("translation", device="l4")
    assert found.fine_tuning_bytes == 16 * found.model.parameters > 24e9
    assert "more than L4 has" in dict(found.lines())["start"]
    assert "more than" not in dict(which("NER", device="l4").lines())["start"]


def test_a_runner_up_that_does_not_fit_is_listed() -> None:
    found = which("sentiment", input_tokens=4000)
    assert list(found.rows())[1][:3] == ("runner-up", "none fits", "encoder")
    assert found.others[0].size_class is None
    assert found.to_dict()["others"][0]["model"] is None


def test_an_encoder_that_is_not_trained_is_taken_and_not_prompted() -> None:
    assert str(which("embedding")).startswith("Take roberta large: encoder")
    assert str(which("embedding", examples=5000)).startswith("Fine-tune roberta large")
    assert which("embedding", examples=5).way == "prompt"


def test_it_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        which("NER").task = "other"  # type: ignore[misc]
