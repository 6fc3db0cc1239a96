"""The quote of a model: its parts agree with the rooms that compute them, and it allocates nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trivium.plan.named import PUBLISHED
from trivium.quotes.asked import Settings
from trivium.quotes.quote import HereTime, quote
from trivium.scaling.laws import LAWS


@pytest.mark.parametrize("name", ["bert-base-uncased", "bloom-176b", "t5-base"])
def test_items_make_the_totals(name: str) -> None:
    found = quote(name, Settings(rows=2, length=256), device="h100")
    assert found.training_verdict is not None
    assert found.inference_verdict is not None
    assert sum(found.on_each.items.values()) == found.training_verdict.total_bytes == found.training.total
    assert sum(found.inference.items.values()) == found.inference_verdict.total_bytes
    assert found.held["float32"] == 4 * found.architecture.parameters
    assert found.run.exact == pytest.approx(found.step.model * found.steps)


def test_gpt3_as_published() -> None:
    found = quote("gpt3-175b", Settings(tokens=300e9), device="v100", law=LAWS["kaplan"])
    assert found.run.rule / 8.64e19 == pytest.approx(3640, rel=0.005)  # Brown et al. 2020, table D.1
    assert found.training_verdict is not None
    assert not found.training_verdict.fits


def test_only_decoders_have_a_predicted_loss() -> None:
    assert quote("gpt2-xl").loss is not None
    assert quote("bert-large-uncased").loss is None
    assert quote("t5-base").loss is None


def test_several_devices_share_the_states() -> None:
    one, eight = quote("gpt2-xl", device="h100"), quote("gpt2-xl", device="8xh100")
    assert (one.devices, eight.devices) == (1, 8)
    assert eight.on_each.optimizer == pytest.approx(one.on_each.optimizer / 8, rel=0.01)
    assert eight.steps == pytest.approx(one.steps / 8)


def test_a_step_here_is_what_it_is_told() -> None:
    found = quote("gpt2-small", here=lambda asked: HereTime(asked.workload.rows * 2.0, 0.1))
    assert found.here == HereTime(2.0, 0.1)


def test_everything_is_plain_data() -> None:
    found = quote("t5-small", Settings(lora_rank=4, length=64), device="2xa100", price_per_hour=1.5)
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["asked"]["lora_rank"] == 4
    assert data["times"][0]["price"] == pytest.approx(1.5 * data["times"][0]["device_hours"])


def test_every_published_model_without_torch_and_without_memory() -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "plan.py"
    said = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout
    found = json.loads(said.splitlines()[-1])
    assert found["models"] == len(PUBLISHED)
    assert not found["torch_imported"]
    assert found["grown_kilobytes"] < 50_000
    assert found["mean_seconds"] < 1  # CPU seconds, so that a busy machine changes nothing
