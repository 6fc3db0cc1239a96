"""Operations of training against published budgets, and what devices take for them."""

import subprocess
import sys
from dataclasses import replace

import pytest

from trivium.adapt.lora import Lora
from trivium.architecture import Kind
from trivium.errors import UsageError
from trivium.families.registry import FAMILIES, family_named
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN
from trivium.plan.compute import (
    PETAFLOP_S_DAY,
    device_time,
    petaflop_s_days,
    rule_flops,
    step_flops,
    textbook_equivalences,
    training_flops,
)
from trivium.plan.devices import DEVICES, device_named
from trivium.plan.workload import Workload

#: Brown et al. 2020, table D.1: petaflop/s-days, operations, millions of parameters, 10^9 tokens.
TABLE_D1: dict[str, tuple[Kind, float, float, float, float]] = {
    "T5-Small": ("encoder-decoder", 2.08, 1.80e20, 60, 1000),
    "T5-Base": ("encoder-decoder", 7.64, 6.60e20, 220, 1000),
    "T5-Large": ("encoder-decoder", 26.7, 2.31e21, 770, 1000),
    "T5-3B": ("encoder-decoder", 104, 9.00e21, 3000, 1000),
    "T5-11B": ("encoder-decoder", 382, 3.30e22, 11000, 1000),
    "BERT-Base": ("encoder", 1.89, 1.64e20, 109, 250),
    "BERT-Large": ("encoder", 6.16, 5.33e20, 355, 250),
    "RoBERTa-Base": ("encoder", 17.4, 1.50e21, 125, 2000),
    "RoBERTa-Large": ("encoder", 49.3, 4.26e21, 355, 2000),
    "GPT-3 Small": ("decoder", 2.60, 2.25e20, 125, 300),
    "GPT-3 Medium": ("decoder", 7.42, 6.41e20, 356, 300),
    "GPT-3 Large": ("decoder", 15.8, 1.37e21, 760, 300),
    "GPT-3 XL": ("decoder", 27.5, 2.38e21, 1320, 300),
    "GPT-3 2.7B": ("decoder", 55.2, 4.77e21, 2650, 300),
    "GPT-3 6.7B": ("decoder", 139, 1.20e22, 6660, 300),
    "GPT-3 13B": ("decoder", 268, 2.31e22, 12850, 300),
    "GPT-3 175B": ("decoder", 3640, 3.14e23, 174600, 300),
}


@pytest.mark.parametrize("name", TABLE_D1)
def test_every_row_of_gpt_3_s_table_d1(name: str) -> None:
    kind, days, flops, millions, billions = TABLE_D1[name]
    ours = FLOPS_PER_PARAMETER_AND_TOKEN[kind] * millions * 1e6 * billions * 1e9
    assert ours == pytest.approx(flops, rel=0.006)  # printed to three digits
    assert petaflop_s_days(ours) == pytest.approx(days, rel=0.006)


@pytest.mark.parametrize(
    ("size", "name"), [("small", "Small"), ("medium", "Medium"), ("6.7b", "6.7B"), ("13b", "13B"), ("175b", "175B")]
)
def test_our_gpt_3_by_the_rule_is_the_table_s(size: str, name: str) -> None:
    architecture = family_named("gpt3").size(size)
    assert rule_flops(architecture, 300e9) == pytest.approx(TABLE_D1[f"GPT-3 {name}"][2], rel=0.006)


def test_gopher_and_chinchilla() -> None:
    """5.76e23 was spent on Gopher, which 6 N D misses: appendix F says 6.3e23 is nearer."""
    assert pytest.approx(5.04e23) == 6 * 280e9 * 300e9
    chinchilla, big = (family_named("gopher").size(name) for name in ("chinchilla", "280b"))
    assert rule_flops(chinchilla, 1.4e12) == pytest.approx(5.88e23, rel=0.002)
    assert rule_flops(big, 300e9) == pytest.approx(5.04e23, rel=0.002)
    exact = training_flops(Workload(big, rows=1, inputs=2048), 300e9)
    assert 5.04e23 < exact.exact < 6.3e23


def test_a_petaflop_s_day() -> None:
    assert PETAFLOP_S_DAY == 8.64e19


def test_the_general_rule_is_half_of_6nd_where_a_pair_reads_what_it_writes() -> None:
    """6 (N_enc T_in + N_dec T_out) = 6 (N_enc + N_dec) T = 3 N D of D = 2 T tokens."""
    pair = FAMILIES["t5"].preset(vocab=8, dim=64, depth=6, heads=4, positions=32)
    found = training_flops(Workload(pair, rows=2, inputs=16, outputs=16), 1e6)
    assert found.by_stacks == pytest.approx(found.rule, rel=0.01)
    less = training_flops(Workload(pair, rows=2, inputs=24, outputs=8), 1e6)
    assert less.by_stacks < found.by_stacks  # the decoder is the larger half
    assert less.rule == found.rule


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_a_training_s_exact_count_is_the_architecture_s(family: str) -> None:
    architecture = FAMILIES[family].preset(vocab=100, dim=32, depth=2, heads=2, positions=32)
    workload = Workload(architecture, rows=3, inputs=16, accumulation=2)
    step = step_flops(workload)
    assert (step.model, step.recomputation) == (workload.flops, 0)
    assert step.backward == 2 * step.forward
    whole = training_flops(workload, 1000 * workload.tokens)
    assert whole.exact == whole.hardware == 1000 * workload.flops
    assert whole.to_dict()["petaflop_s_days"] == petaflop_s_days(whole.exact)


def test_recomputation_is_a_forward_pass_of_the_blocks() -> None:
    architecture = FAMILIES["bert"].preset(vocab=100, dim=32, depth=2, heads=2, positions=32)
    plain = Workload(architecture, rows=3, inputs=16)
    step = step_flops(replace(plain, activation_checkpointing=True))
    assert step.model == step_flops(plain).model
    assert step.recomputation == 3 * architecture.flops(16, None, 0)
    assert step.to_dict()["hardware"] == step.model + step.recomputation


def test_frozen_weights_have_no_gradients() -> None:
    """A third of the products of a large frozen model fall away."""
    llama = family_named("llama").size("7b")
    full = step_flops(Workload(llama, rows=1, inputs=512))
    adapted = step_flops(Workload(llama, rows=1, inputs=512, lora=Lora()))
    assert adapted.model / full.model == pytest.approx(2 / 3, rel=0.03)
    assert adapted.forward == pytest.approx(full.forward, rel=0.01)


def test_hours_on_a_device() -> None:
    flops = 3.14e23
    found = device_time(flops, device_named("a100-sxm-80"), devices=64, price_per_hour=2)
    assert found.format == "bfloat16"
    assert found.device_hours * 3600 * 312e12 * 0.4 == pytest.approx(flops)
    assert found.price == 2 * found.device_hours
    assert found.days * 64 * 24 == pytest.approx(found.device_hours)
    low, high = found.device_hours_range
    assert low < found.device_hours < high
    assert high / low == pytest.approx(47.8 / 23.6, rel=0.01)
    assert device_time(flops, device_named("a100-sxm-80")).price is None
    assert found.to_dict()["device_days"] == found.device_hours / 24


def test_llama_65b_at_its_own_utilisation_takes_its_own_hours() -> None:
    found = device_time(6 * 65.286e9 * 1.4e12, DEVICES["a100-sxm-80"], utilisation=0.4776)
    assert found.device_hours == pytest.approx(1_022_362, rel=1e-3)


@pytest.mark.parametrize("utilisation", [0.0, -0.1, 1.1])
def test_utilisation_is_a_share(utilisation: float) -> None:
    with pytest.raises(UsageError, match=r"above 0 and up to 1, got .*: published runs reach 24% to 48%"):
        device_time(1e18, DEVICES["t4"], utilisation=utilisation)


def test_wrong_devices_and_formats() -> None:
    with pytest.raises(UsageError, match=r"The T4 has no known rate in 'bfloat16'.* It has: float32, float16"):
        device_time(1e18, DEVICES["t4"], number_format="bfloat16")
    with pytest.raises(UsageError, match=r"no device 'a100-sxm-81'. Did you mean"):
        device_named("a100-sxm-81")
    with pytest.raises(UsageError, match="there must be a device"):
        device_time(1e18, DEVICES["t4"], devices=0)
    with pytest.raises(UsageError, match="price must not be negative"):
        device_time(1e18, DEVICES["t4"], price_per_hour=-1)


def test_every_device_has_a_time() -> None:
    for device in DEVICES.values():
        assert device_time(PETAFLOP_S_DAY, device, utilisation=1.0).device_days == pytest.approx(
            1e15 / device.flops_per_second[device.half_format]
        )


def test_the_textbook_s_equivalence() -> None:
    """8 V100 are right, 2 A100 only with 2:4 sparsity."""
    v100, a100 = textbook_equivalences()
    assert (v100.claimed, v100.dense, v100.holds, v100.sparse) == (8, 8.0, True, None)
    assert (round(a100.dense, 1), a100.holds) == (3.2, False)
    assert a100.sparse is not None
    assert a100.sparse <= a100.claimed == 2
    assert (round(v100.usual), round(a100.usual)) == (20, 8)
    assert (round(v100.float32), round(a100.float32)) == (64, 51)
    assert "right for dense 16-bit products" in v100.verdict
    assert "too few, and right only with 2:4 sparsity" in a100.verdict
    assert a100.to_dict()["holds"] is False


def test_planning_needs_no_torch() -> None:
    code = "import sys, trivium.plan.compute, trivium.plan.conventions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
