"""The formulas of inference memory against real models: their tensors, counted one by one."""

import statistics
from typing import Any

import pytest
import torch

from trivium.families.registry import FAMILIES
from trivium.model import Transformer
from trivium.plan.inference import InferenceMemory, inference_memory
from trivium.plan.measured_inference import measured_inference_bytes

#: Family, rows, tokens read and written, weights, by how many tokens the last row is shorter, what is special.
CASES: list[tuple[str, int, int, int, str, int, dict[str, Any]]] = [
    ("bert", 8, 128, 0, "float32", 0, {}),
    ("roberta", 4, 150, 0, "bfloat16", 30, {}),
    ("gpt2", 1, 16, 24, "float32", 0, {}),
    ("gpt2", 8, 200, 3, "bfloat16", 0, {}),
    ("llama", 4, 200, 3, "float32", 0, {}),
    ("llama", 4, 200, 3, "bfloat16", 20, {"kv_heads": 2}),
    ("bloom", 2, 100, 3, "float32", 40, {}),
    ("gpt3", 3, 200, 3, "float32", 0, {}),
    ("gopher", 2, 100, 3, "bfloat16", 0, {}),
    ("t5", 4, 200, 3, "float32", 0, {}),
    ("t5", 8, 48, 12, "bfloat16", 10, {}),
    ("bart", 4, 200, 3, "float32", 0, {}),
    ("transformer", 8, 48, 12, "float32", 0, {}),
]


def computed_and_measured(case: tuple[str, int, int, int, str, int, dict[str, Any]]) -> tuple[InferenceMemory, int]:
    family, rows, inputs, outputs, weights, shorter, special = case
    architecture = FAMILIES[family].preset(vocab=2000, dim=64, depth=2, heads=4, **special)
    model = Transformer(architecture).to(getattr(torch, weights)).eval()
    computed = inference_memory(architecture, rows, inputs, outputs, weights, padded=shorter > 0)  # type: ignore[arg-type]
    assert computed.weights == sum(parameter.nbytes for parameter in model.parameters())
    return computed, measured_inference_bytes(model, rows, inputs, outputs, shorter=shorter)


@pytest.fixture(scope="module")
def errors() -> list[tuple[str, float, float]]:
    """Of the whole, and of what stands beside the weights: the harder comparison."""
    found = []
    for case in CASES:
        computed, peak = computed_and_measured(case)
        beside = (computed.total - computed.weights) / (peak - computed.weights) - 1
        found.append((case[0], computed.total / peak - 1, beside))
    return found


def test_real_models_take_what_is_computed(errors: list[tuple[str, float, float]]) -> None:
    whole = [abs(error) for _, error, _ in errors]
    assert max(whole) < 0.10
    assert statistics.median(whole) < 0.03


def test_also_beside_the_weights(errors: list[tuple[str, float, float]]) -> None:
    beside = [abs(error) for _, _, error in errors]
    assert max(beside) < 0.10
    assert statistics.median(beside) < 0.03


def test_a_measurement_leaves_nothing_behind() -> None:
    case = CASES[0]
    assert computed_and_measured(case)[1] == computed_and_measured(case)[1]
