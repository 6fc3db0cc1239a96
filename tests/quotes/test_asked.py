"""What nobody said is assumed, and said."""

import pytest

from trivium.errors import UsageError
from trivium.plan.devices import DEVICES
from trivium.plan.named import architecture_of
from trivium.quotes.asked import Asked, Settings


def test_every_assumption_is_said() -> None:
    asked = Asked.of(architecture_of("bert-base-uncased"), Settings(rows=4), None, 1)
    assert (asked.workload.inputs, asked.workload.targets, asked.workload.precision) == (512, 307, "bfloat16")
    assert asked.tokens == 20 * 109_514_298
    assert (asked.request.inputs, asked.request.outputs) == (512, 0)
    for option in ("--length", "--targets", "--precision", "--tokens", "--weights"):
        assert any(option in said for said in asked.assumptions), option


def test_what_is_said_is_not_assumed() -> None:
    said = Settings(
        length=128,
        outputs=64,
        targets=60,
        tokens=1e9,
        precision="float32",
        prompt_tokens=9,
        new_tokens=3,
        weights="int8",
    )
    asked = Asked.of(architecture_of("t5-small"), said, DEVICES["h100-sxm"], 1)
    assert asked.assumptions == ()
    assert (asked.workload.inputs, asked.workload.outputs, asked.workload.targets) == (128, 64, 60)
    assert (asked.request.inputs, asked.request.outputs, asked.request.weights) == (9, 3, "int8")


def test_several_devices_share_unless_told() -> None:
    gpt = architecture_of("gpt2-small")
    assert Asked.of(gpt, Settings(), DEVICES["h100-sxm"], 8).workload.sharding == "weights"
    assert Asked.of(gpt, Settings(sharding="none"), DEVICES["h100-sxm"], 8).workload.sharding == "none"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Settings(length=2000), "has 1,024 positions, so that rows cannot have 2,000"),
        (Settings(precision="bfloat"), "no precision 'bfloat'. Did you mean 'bfloat16'"),
        (Settings(optimizer="adam"), "no optimizer 'adam'. Did you mean 'adamw'"),
        (Settings(sharding="weight"), "no sharding 'weight'. Did you mean 'weights'"),
        (Settings(weights="int3"), "no weights 'int3'"),
        (Settings(tokens=0), "tokens above 0, got 0"),
        (Settings(tokens=float("nan")), "tokens above 0, got nan"),
        (Settings(outputs=3), "Only an encoder-decoder has outputs"),
    ],
)
def test_what_cannot_be(said: Settings, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        Asked.of(architecture_of("gpt2-small"), said, None, 1)
    assert message in str(raised.value)
