"""The published figures of accelerators, and how a device is named."""

import re
from dataclasses import FrozenInstanceError

import pytest

from trivium.errors import UsageError
from trivium.plan.devices import DEVICES, Device, device_named

#: Dense TFLOP/s: float32 | TF32 | 16 bits | float8; GB; GB/s; the link's GB/s. "-" is none, or not published.
PUBLISHED = """
v100-sxm2-16   15.7   -      125     -       16     900   300
v100-sxm2-32   15.7   -      125     -       32     900   300
v100-pcie-16   14     -      112     -       16     900   32
v100-pcie-32   14     -      112     -       32     900   32
a100-sxm-40    19.5   156    312     -       40     1555  600
a100-sxm-80    19.5   156    312     -       80     2039  600
a100-pcie-80   19.5   156    312     -       80     1935  600
h100-sxm       67     494.7  989.4   1978.9  80     3350  900
h100-pcie      51     378    756     1513    80     2000  600
h200-sxm       67     494.7  989.4   1978.9  141    4800  900
h200-nvl       60     417.5  835.5   1671    141    4800  900
b200           75     1100   2250    4500    180    7700  1800
l4             30.3   60     121     242.5   24     300   64
a10            31.2   62.5   125     -       24     600   -
t4             8.1    -      65      -       16     300   -
rtx-3090       35.6   35.6   71      -       24     936   112.5
rtx-4090       82.6   82.6   165.2   330.3   24     1008  -
rtx-5090       104.8  104.8  209.5   419     32     1792  -
mi300x         163.4  653.7  1307.4  2614.9  192    5300  896
tpu-v3         -      -      123     -       32     900   -
tpu-v4         -      -      275     -       34.36  1200  300
tpu-v5e        -      -      197     -       16     819   400
tpu-v5p        -      -      459     459     95     2765  1200
tpu-v6e        -      -      918     -       32     1638  800
"""


@pytest.mark.parametrize("row", PUBLISHED.split("\n")[1:-1], ids=lambda row: row.split()[0])
def test_every_figure_is_the_published_one(row: str) -> None:
    name, *figures = row.split()
    device = DEVICES[name]
    peaks = device.flops_per_second
    held = [
        peaks.get("float32"),
        peaks.get("tensorfloat32"),
        peaks.get("bfloat16", peaks.get("float16")),
        peaks.get("float8"),
        device.memory_bytes * 1e3,
        device.bandwidth * 1e3,
        None if device.link_bandwidth is None else device.link_bandwidth * 1e3,
    ]
    for figure, value in zip(figures, held, strict=True):
        assert (None if figure == "-" else pytest.approx(float(figure) * 1e12, rel=1e-4)) == value


def test_the_table_is_whole() -> None:
    assert {row.split()[0] for row in PUBLISHED.split("\n")[1:-1]} == set(DEVICES)
    assert DEVICES["tpu-v4"].memory_bytes == 32 * 2**30
    assert {name: device.flops_per_second["int8"] / 1e12 for name, device in DEVICES.items()
            if "int8" in device.flops_per_second} == {
        "a100-sxm-40": 624, "a100-sxm-80": 624, "a100-pcie-80": 624,
        "tpu-v4": 275, "tpu-v5e": 393, "tpu-v5p": 918, "tpu-v6e": 1836,
    }  # fmt: skip


def test_volta_and_turing_have_no_bfloat16_and_their_half_format_says_so() -> None:
    without = {name for name, device in DEVICES.items() if "bfloat16" not in device.flops_per_second}
    assert without == {"v100-sxm2-16", "v100-sxm2-32", "v100-pcie-16", "v100-pcie-32", "t4"}
    assert {DEVICES[name].half_format for name in without} == {"float16"}
    assert {device.half_format for name, device in DEVICES.items() if name not in without} == {"bfloat16"}


def test_a_petaflop_s_is_eight_v100_and_more_than_three_a100() -> None:
    # "Two A100 make a petaflop/s" counts 2:4 sparsity; dense it takes 3.2.
    assert 1e15 / DEVICES["v100-sxm2-16"].flops_per_second["float16"] == 8
    assert 1e15 / DEVICES["a100-sxm-80"].flops_per_second["bfloat16"] == pytest.approx(3.2, abs=0.01)


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("l4", "l4"), ("L4", "l4"), ("A100 SXM 80GB", "a100-sxm-80"), ("a100-sxm-80", "a100-sxm-80"),
        ("RTX 4090", "rtx-4090"), ("rtx4090", "rtx-4090"), ("H100 PCIe", "h100-pcie"), ("TPU v5e", "tpu-v5e"),
        ("V100 SXM2 32 GB", "v100-sxm2-32"), ("MI300X", "mi300x"), ("B200", "b200"),
    ],
)  # fmt: skip
def test_however_it_is_spelled(spelled: str, name: str) -> None:
    assert device_named(spelled) is DEVICES[name]


def test_several_or_none_is_an_error_that_lists_them() -> None:
    with pytest.raises(UsageError, match="a100-sxm-40, a100-sxm-80, a100-pcie-80"):
        device_named("a100")
    with pytest.raises(UsageError, match=re.escape("no device 'h10x'")) as raised:
        device_named("h10x")
    assert "here" in str(raised.value)
    with pytest.raises(UsageError, match="no device ''"):
        device_named("")


def test_here_is_this_machine_measured() -> None:
    here = device_named("here")
    assert here.confidence == "measured"
    assert 1e8 < here.bandwidth < 1e14
    assert 1e8 < max(here.flops_per_second.values()) < 1e16
    assert here.memory_bytes > 1e8


def test_it_is_frozen_and_plain() -> None:
    device = DEVICES["l4"]
    with pytest.raises(FrozenInstanceError):
        device.memory_bytes = 1  # type: ignore[misc]
    assert Device(**device.to_dict()) == device
