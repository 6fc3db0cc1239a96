"""Rules of thumb, as published, beside what is computed."""

import json
from dataclasses import replace

import pytest

from trivium.architecture import Architecture
from trivium.families import gpt2
from trivium.families.registry import FAMILIES
from trivium.plan.inference import Request, weight_bytes
from trivium.plan.memory import training_memory
from trivium.plan.textbook import RuleOfThumb, rules_for_holding, rules_for_inference, rules_for_training
from trivium.plan.workload import Workload

LLAMA = FAMILIES["llama"].size("2-7b")


def a_billion() -> Architecture:
    architecture = gpt2.preset(vocab=50_257, dim=2048, depth=18, heads=16)
    assert architecture.parameters == pytest.approx(1e9, rel=0.02)
    return architecture


def test_a_billion_parameters() -> None:
    """The textbook's 4, 2, 2, 1 and 0.5 GB; and 24 to train."""
    architecture = a_billion()
    scale = architecture.parameters / 1e9
    sizes = {rule.name: rule.bytes / 1e9 / scale for rule in rules_for_holding(architecture)}
    assert sizes == pytest.approx(
        {
            "hold in float32": 4,
            "hold in bfloat16": 2,
            "hold in float16": 2,
            "hold in int8": 1,
            "hold in int4": 0.5,
        }
    )
    [train, *_] = rules_for_training(Workload(architecture, rows=1, inputs=128))
    assert train.bytes / 1e9 / scale == pytest.approx(24)


def test_holding_is_right_in_floating_point_and_low_in_integers() -> None:
    rules = rules_for_holding(LLAMA)
    assert [rule.ratio == 1 for rule in rules] == [True, True, True, False, False]
    assert all(rule.ratio <= 1 for rule in rules)
    assert "scales" in rules[-1].remark


def test_a_fifth_more_is_right_for_one_batch_and_wrong_for_others() -> None:
    remarks = []
    for rows in (1, 2, 8):
        [rule] = rules_for_inference(Request(LLAMA, rows, 2048, 256))
        assert rule.bytes == round(1.2 * weight_bytes(LLAMA, "bfloat16"))
        remarks.append(rule.remark.split(":")[0])
    assert remarks == ["Right here", "Right here", "Too little"]
    [short] = rules_for_inference(Request(LLAMA, 1, 16, 16))
    assert short.remark.startswith("Too much: ")
    assert short.ratio > 1


def train(workload: Workload) -> RuleOfThumb:
    return rules_for_training(workload)[0]


def test_what_24_bytes_a_parameter_miss() -> None:
    small = FAMILIES["gpt2"].size("small")
    many = train(Workload(small, rows=8, inputs=1024))
    assert many.computed_bytes == training_memory(Workload(small, rows=8, inputs=1024)).total
    assert "It misses activations: " in many.remark
    assert "8 rows of 1,024 tokens" in many.remark
    few = train(Workload(LLAMA, rows=1, inputs=128))
    assert "It overstates activations: " in few.remark
    assert "1 row of 128 tokens" in few.remark


def test_what_they_do_not_know() -> None:
    step = Workload(FAMILIES["gpt2"].size("small"), rows=1, inputs=64)
    assert "no sharding: over 8 devices" in train(replace(step, ranks=8, sharding="weights")).remark
    assert "muon keeps less" in train(replace(step, optimizer="muon")).remark


def test_other_estimators() -> None:
    step = Workload(LLAMA, rows=1, inputs=128)
    [_, single] = rules_for_training(step)
    assert single.ratio == pytest.approx(1, abs=1e-6)  # AdamW in float32, without activations
    [_, half] = rules_for_training(replace(step, precision="bfloat16"))
    assert half.ratio == pytest.approx(0.5, abs=1e-6)
    [_, second] = rules_for_training(replace(step, ranks=4, sharding="gradients"))
    assert second.bytes == round(LLAMA.parameters * (2 + 18 / 4))
    [_, third] = rules_for_training(replace(step, ranks=4, sharding="weights"))
    assert third.bytes == round(LLAMA.parameters * 18 / 4) + 4 * 32_000 * 4096
    assert len(rules_for_training(replace(step, ranks=4, sharding="optimizer"))) == 1


def test_as_a_line_and_as_plain_data() -> None:
    [rule] = rules_for_inference(Request(LLAMA, 1, 16, 16))
    assert str(rule).startswith("answer (1.2 times the weights): 16.2 GB, computed 13.5 GB. Too much")
    assert json.loads(json.dumps(rule.to_dict()))["ratio"] == rule.ratio
