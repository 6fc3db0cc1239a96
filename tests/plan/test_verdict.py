"""The verdict: of real models on real devices, and with simple functions in place of the formulas."""

import json
import subprocess
import sys

import pytest

from trivium.errors import UsageError
from trivium.families.registry import FAMILIES
from trivium.plan.devices import DEVICES
from trivium.plan.inference import Request
from trivium.plan.margins import GPU, Margins
from trivium.plan.sharding import sharded_memory
from trivium.plan.verdict import inference_verdict, training_verdict
from trivium.plan.workload import Workload

EXACT = Margins(error=0.0, fragmentation=0.0, context_bytes=0)


def step(family: str, size: str, rows: int, inputs: int) -> Workload:
    return Workload(FAMILIES[family].size(size), rows=rows, inputs=inputs)


def test_a_small_model_fits() -> None:
    verdict = training_verdict(step("bert", "base-uncased", 4, 128), DEVICES["t4"])
    assert verdict.fits
    assert verdict.ways_out == verdict.together == ()
    assert verdict.first is None
    assert verdict.largest_rows > 4
    assert verdict.longest_inputs == 512  # as far as its positions go
    assert sum(verdict.items.values()) == verdict.total_bytes
    assert verdict.lines[0].startswith("Training fits on T4: ")


def test_the_largest_fit_and_one_more_does_not() -> None:
    asked = step("gpt2", "small", 64, 512)
    verdict = training_verdict(asked, DEVICES["rtx-4090"])
    assert verdict.answer == "does not fit"
    for count, fits in ((0, True), (1, False)):
        longer = step("gpt2", "small", 64, verdict.longest_inputs + count)
        for varied in (asked.with_rows(verdict.largest_rows + count), longer):
            assert (GPU.most(sharded_memory(varied).total) <= 24_000_000_000) == fits


def test_the_first_way_out_is_the_cheapest() -> None:
    verdict = training_verdict(step("gpt2", "small", 64, 1024), DEVICES["rtx-4090"])
    assert verdict.first is not None
    assert verdict.first.name == "accumulation"
    assert verdict.first.total_bytes < verdict.total_bytes
    assert "  4 micro-batches of 16 rows a step: " in "\n".join(verdict.lines)


def test_ways_out_together() -> None:
    verdict = training_verdict(step("llama", "2-7b", 8, 2048), DEVICES["a100-sxm-80"])
    assert all(way.gives_up for way in verdict.ways_out if way.answer == "fits")
    assert [way.name for way in verdict.together] == ["accumulation", "activation-checkpointing", "sharding"]
    assert [way.answer for way in verdict.together] == ["does not fit", "does not fit", "fits"]
    assert "one on top of the other" in "\n".join(verdict.lines)


def test_who_adapts_a_model_may_leave_its_weights() -> None:
    asked = step("gpt2", "small", 1, 64)
    found = [
        training_verdict(asked, 100, EXACT, adapting=adapting, total=lambda work: 200 if work.lora is None else 50)
        for adapting in (False, True)
    ]
    assert [way.name for way in found[1].together] == ["lora"]
    assert found[0].together == ()
    assert found[0].first is not None
    assert found[0].first.gives_up


def test_where_nothing_helps() -> None:
    verdict = training_verdict(step("bloom", "176b", 32, 2048), DEVICES["t4"])
    assert verdict.largest_rows == verdict.longest_inputs == 0
    assert verdict.together == ()
    assert "no row of this length; in a batch as asked, no length" in verdict.lines[1]
    assert "What is left" in verdict.lines[-1]


def test_uncertain_is_not_a_yes() -> None:
    narrow = Margins(error=0.1, fragmentation=0.0, context_bytes=0)
    between = training_verdict(step("gpt2", "small", 1, 64), 1050, narrow, total=lambda work: 1000 * work.rows)
    assert between.answer == "uncertain"
    assert not between.fits
    assert between.lines[0].startswith("Training may or may not fit on ")


def test_another_function_of_the_workload() -> None:
    verdict = training_verdict(step("gpt2", "small", 8, 64), 5000, EXACT, total=lambda work: 1000 * work.rows + 500)
    assert verdict.largest_rows == 4
    assert verdict.total_bytes == 8500
    assert verdict.first is not None
    assert verdict.first.what == "2 micro-batches of 4 rows a step"


def test_inference() -> None:
    asked = Request(FAMILIES["llama"].size("2-7b"), rows=8, inputs=2048, outputs=512)
    verdict = inference_verdict(asked, DEVICES["rtx-4090"])
    assert verdict.answer == "does not fit"
    assert verdict.total_bytes == asked.memory.total
    assert verdict.first is not None
    assert verdict.first.name == "fewer-rows"
    assert inference_verdict(asked.with_rows(verdict.largest_rows), DEVICES["rtx-4090"]).fits


def test_as_plain_data() -> None:
    verdict = training_verdict(step("gpt2", "small", 8, 64), 5000, EXACT, total=lambda work: 1000 * work.rows)
    plain = json.loads(json.dumps(verdict.to_dict()))
    assert plain["first"] == "accumulation"
    assert plain["items"] == dict(verdict.items)
    assert [way["name"] for way in plain["ways_out"]] == [way.name for way in verdict.ways_out]


_ASK = """
import sys, time
from trivium.families.registry import FAMILIES
from trivium.plan.devices import DEVICES
from trivium.plan.inference import Request
from trivium.plan.verdict import inference_verdict, training_verdict
from trivium.plan.workload import Workload

start = time.process_time()
for family, size in (("bloom", "560m"), ("bloom", "176b")):
    architecture = FAMILIES[family].size(size)
    training_verdict(Workload(architecture, rows=8, inputs=2048), DEVICES["h100-sxm"])
    inference_verdict(Request(architecture, rows=8, inputs=2048, outputs=100), DEVICES["h100-sxm"])
print(time.process_time() - start, "torch" in sys.modules)
"""


def test_any_size_is_judged_at_once_and_without_torch() -> None:
    said = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True).stdout.split()
    assert float(said[0]) < 1
    assert said[1] == "False"


def test_a_device_without_memory() -> None:
    with pytest.raises(UsageError, match="needs memory, and 0 bytes are none"):
        training_verdict(step("gpt2", "small", 1, 64), 0)
