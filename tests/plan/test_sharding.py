"""Model states by recipe and over devices: the figures of ZeRO, and what must hold for every sharding."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.errors import UsageError
from trivium.families.registry import FAMILIES
from trivium.plan.memory import training_memory
from trivium.plan.sharding import RECIPES, gathered_bytes, sharded_memory, state_bytes
from trivium.plan.workload import Sharding, Workload

ORDER: tuple[Sharding, ...] = ("none", "optimizer", "gradients", "weights")


@pytest.mark.parametrize(
    ("sharding", "gigabytes"), [("none", 120), ("optimizer", 31.4), ("gradients", 16.6), ("weights", 1.9)]
)
def test_zero_figure_1(sharding: Sharding, gigabytes: float) -> None:
    """7.5B parameters over 64 devices (Rajbhandari et al. 2020, figure 1)."""
    assert state_bytes(7_500_000_000, "mixed-16", 64, sharding).total / 1e9 == pytest.approx(gigabytes, abs=0.051)


def test_gpt2_needs_24_gb() -> None:
    """Of 1.5B parameters (the same, section 3.1)."""
    assert state_bytes(1_500_000_000).total == 24_000_000_000


@pytest.mark.parametrize(
    ("recipe", "total"),
    [
        ("float32", 16),
        ("autocast", 16),
        ("mixed-16", 16),
        ("mixed-16-gradients-32", 18),
        ("bfloat16", 8),
        ("adam-8bit", 10.03125),
        ("sgd-momentum", 12),
        ("adafactor", 8),
    ],
)
def test_bytes_a_parameter(recipe: str, total: float) -> None:
    assert RECIPES[recipe].total == total
    assert state_bytes(1_000_000, recipe).total == round(1e6 * total)


@given(st.integers(1, 10**12), st.sampled_from(sorted(RECIPES)), st.integers(1, 512))
def test_each_stage_holds_less(parameters: int, recipe: str, ranks: int) -> None:
    totals = [state_bytes(parameters, recipe, ranks, sharding).total for sharding in ORDER]
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] * ranks == pytest.approx(totals[0], abs=2 * ranks)


def test_the_gathered_layer() -> None:
    llama = FAMILIES["llama"].size("2-7b")
    layer = 4 * 4096 * 4096 + 3 * 4096 * 11_008 + 2 * 4096
    rest = 2 * 32_000 * 4096 + 4096
    assert gathered_bytes(llama, 2, 2) == 2 * (rest + 2 * layer) + 2 * rest
    assert gathered_bytes(llama, 2, 2, "gradients") == 2 * rest
    assert gathered_bytes(llama, 2, 2, "optimizer") == 0
    assert state_bytes(llama, "mixed-16", 64, "weights").gathered == gathered_bytes(llama, 2, 2)
    assert state_bytes(llama, "autocast", 64, "weights").gathered == gathered_bytes(llama, 2, 4)


def test_a_single_device_is_not_sharded() -> None:
    step = Workload(FAMILIES["gpt2"].size("small"), rows=2, inputs=256, sharding="weights")
    assert sharded_memory(step).total == training_memory(step).total


def test_a_step_over_devices() -> None:
    step = Workload(FAMILIES["gpt2"].size("xl"), rows=1, inputs=512, ranks=8)
    totals = [sharded_memory(dataclasses.replace(step, sharding=sharding)) for sharding in ORDER]
    assert totals[0].total == training_memory(step).total
    assert totals[1].optimizer == round(totals[0].optimizer / 8)
    assert [found.total for found in totals] == sorted((found.total for found in totals), reverse=True)
    assert totals[3].weights == round(totals[0].weights / 8)
    assert totals[3].to_dict()["total"] == totals[3].total == sum(totals[3].items.values())


def test_standing_gradients_are_counted_once() -> None:
    step = Workload(FAMILIES["gpt2"].size("small"), rows=2, inputs=256, ranks=4, sharding="gradients")
    once, twice = sharded_memory(step), sharded_memory(dataclasses.replace(step, accumulation=2))
    assert twice.activations == pytest.approx(once.activations, rel=0.01)


def test_what_cannot_be() -> None:
    with pytest.raises(UsageError, match="Did you mean 'bfloat16'"):
        state_bytes(10, "bfloat61")
    with pytest.raises(UsageError, match="1 device at least, got 0"):
        state_bytes(10, ranks=0)
