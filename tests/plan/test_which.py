"""Recommendations from the question to the answer."""

import json
import subprocess
import sys
from typing import Any

import pytest

import trivium
from trivium.errors import BudgetError, UsageError
from trivium.plan.tasks import TASKS
from trivium.plan.which import PLENTY, which


@pytest.mark.parametrize(
    ("task", "kind", "way"),
    [
        ("sentiment", "encoder", "fine-tune"),
        ("NER", "encoder", "fine-tune"),
        ("word classification", "encoder", "fine-tune"),
        ("question answering", "encoder", "fine-tune"),
        ("extractive question answering", "encoder", "fine-tune"),
        ("embedding", "encoder", "prompt"),
        ("generation", "decoder", "prompt"),
        ("few-shot use", "decoder", "few-shot"),
        ("closed book question answering", "decoder", "prompt"),
        ("translation", "encoder-decoder", "fine-tune"),
        ("summarisation", "encoder-decoder", "fine-tune"),
        ("generative question answering", "encoder-decoder", "fine-tune"),
    ],
)
def test_each_task_as_it_is_usually_done(task: str, kind: str, way: str) -> None:
    found = which(task, device="a10")
    assert (found.choice.kind, found.way) == (kind, way)
    assert found.model.serving.memory_bytes <= 24e9
    assert found.choice.why
    assert found.choice.source
    assert found.unless


@pytest.mark.parametrize(
    ("examples", "fine_tune", "way", "kind"),
    [
        (None, None, "fine-tune", "encoder"),
        (0, None, "prompt", "encoder-decoder"),
        (1, None, "few-shot", "decoder"),
        (PLENTY - 1, None, "few-shot", "decoder"),
        (PLENTY, None, "fine-tune", "encoder"),
        (200, True, "fine-tune", "encoder"),
        (PLENTY, False, "few-shot", "decoder"),
        (0, False, "prompt", "encoder-decoder"),
        (None, False, "prompt", "encoder-decoder"),
        (None, True, "fine-tune", "encoder"),
    ],
)
def test_labels_at_hand_decide_the_way(examples: int | None, fine_tune: bool | None, way: str, kind: str) -> None:
    found = which("sentiment", examples=examples, fine_tune=fine_tune)
    assert (found.way, found.choice.kind) == (way, kind)


def test_without_labels_the_encoder_is_a_runner_up_and_labels_would_change_the_answer() -> None:
    found = which("sentiment", examples=0)
    assert [pick.kind for pick in found.others] == ["decoder", "encoder"]
    assert "labels allow fine-tuning" in found.unless
    assert found.adaptations


def test_few_shot_puts_examples_into_the_prompt() -> None:
    found = which("sentiment", examples=20, input_tokens=100)
    assert (found.limits.inputs, found.limits.shot_tokens) == (100, 400)
    assert which("few-shot sentiment").way == "few-shot"
    assert which("few-shot sentiment", examples=0).way == "prompt"


def test_a_text_too_long_for_encoders_goes_to_the_next_kind_and_says_so() -> None:
    found = which("sentiment", input_tokens=4000)
    assert found.choice.kind == "decoder"
    assert found.others[0].model is None
    assert any("512 tokens at most" in assumption for assumption in found.assumptions)


def test_the_tighter_of_device_and_user_limits_memory() -> None:
    assert which("generation", device="l4").limits.memory_bytes == 24e9
    assert which("generation", device="l4", memory_gb=10).limits.memory_bytes == 10e9
    assert which("generation", device="l4", memory_gb=100).limits.memory_bytes == 24e9
    assert any("24 GB" in assumption for assumption in which("generation").assumptions)


def test_weights_are_in_what_the_device_multiplies() -> None:
    assert which("generation", device="t4").limits.weights == "float16"
    assert which("generation", device="a10").limits.weights == "bfloat16"
    small, half = which("generation", device="t4", dtype="int4"), which("generation", device="t4")
    assert small.model.parameters > half.model.parameters


@pytest.mark.parametrize("task", TASKS)
def test_tighter_limits_never_give_a_larger_model(task: str) -> None:
    def size(**limits: float) -> int:
        try:
            return which(task, device="a100-sxm-80", **limits).model.non_embedding_parameters  # type: ignore[arg-type]
        except BudgetError:
            return 0

    memory = [size(memory_gb=gigabytes) for gigabytes in (0.1, 0.5, 1, 4, 16, 40, 80)]
    latency = [size(latency_ms=milliseconds) for milliseconds in (0.1, 1, 10, 100, 1000, 10_000, 100_000)]
    assert memory == sorted(memory)
    assert latency == sorted(latency)
    assert memory[-1] == latency[-1] > 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"task": "do things"}, "not understood"),
        ({"task": "summarise and translate"}, "may mean several things"),
        ({"task": "NER", "device": "z80"}, "no device 'z80'"),
        ({"task": "NER", "latency_ms": 5}, "--device here"),
        ({"task": "NER", "per_token": True, "device": "l4"}, "give both, or neither"),
        ({"task": "NER", "memory_gb": 0}, "--memory-gb must be a number above 0, got 0"),
        ({"task": "NER", "memory_gb": float("nan")}, "--memory-gb must be"),
        ({"task": "NER", "input_tokens": 0}, "--input-tokens must be"),
        ({"task": "NER", "output_tokens": -1}, "--output-tokens must be"),
        ({"task": "NER", "examples": -1}, "-1 is none"),
        ({"task": "NER", "examples": 0, "fine_tune": True}, "leave out --fine-tune"),
        ({"task": "few-shot use", "fine_tune": True}, "contradicts"),
        ({"task": "few-shot", "fine_tune": True}, "contradicts"),
        ({"task": "NER", "dtype": "bfloat15"}, "Did you mean 'bfloat16'"),
        ({"task": "NER", "input_tokens": 10**6}, "Cut the text into parts"),
    ],
)
def test_wrong_use_is_told_with_the_way_out(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        which(**asked)


def test_what_fits_nothing_is_told_with_what_would() -> None:
    with pytest.raises(BudgetError, match=r"The smallest, bert base-uncased, takes 0\.263 GB.*--dtype int4"):
        which("NER", memory_gb=0.1)
    with pytest.raises(BudgetError, match=r"No published decoder fits 16 GB and 3 ms a request\. The fastest, "):
        which("generation", device="t4", latency_ms=3)
    with pytest.raises(BudgetError, match=r"Of the other kinds, t5 flan-small \(encoder-decoder\) would fit"):
        which("few-shot", memory_gb=0.25, input_tokens=64)
    with pytest.raises(BudgetError) as raised:
        which("NER", memory_gb=0.01, dtype="int4")
    assert "int4)" not in str(raised.value)


def test_plain_text_is_enough_to_fine_tune_what_writes() -> None:
    assert which("generation", examples=0, fine_tune=True).way == "fine-tune"


def test_it_is_in_the_face_and_loads_no_torch() -> None:
    assert trivium.which is which
    code = "import sys, trivium; trivium.which('NER', device='l4'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_it_is_plain_data() -> None:
    document = json.loads(json.dumps(which("translation", device="l4", latency_ms=2000).to_dict()))
    assert document["choice"]["kind"] == "encoder-decoder"
    assert document["choice"]["families"] == ["bart", "t5", "transformer"]
    assert document["choice"]["model"]["serving"]["request_seconds"] <= 2
    assert document["device"]["bandwidth"] == 300e9
    assert set(document["formulas"]) == {"memory", "cache", "reading", "each token", "request"}
