"""Budgets as people write them, and what cannot be read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.errors import UsageError
from trivium.plan.devices import DEVICES, Device
from trivium.scaling.budget import UTILISATION, parse_budget
from trivium.scaling.chinchilla import APPROACH_1

H100, A100 = 989.4e12, 312e12


@pytest.mark.parametrize(
    ("text", "flops"),
    [
        ("1e21 flops", 1e21),
        ("1e21", 1e21),
        ("3.14E23 FLOP", 3.14e23),
        ("1,000,000 flops", 1e6),
        ("2 pf-days", 1.728e20),
        ("2 PF days", 1.728e20),
        ("2 petaflop/s-days", 1.728e20),
        ("3640 pfs-days", 3640 * 8.64e19),
        ("1 petaflops-day", 8.64e19),
    ],
)
def test_flops_as_such(text: str, flops: float) -> None:
    budget = parse_budget(text)
    assert budget.flops == pytest.approx(flops)
    assert (budget.device, budget.devices, budget.seconds, budget.utilisation) == (None, None, None, None)


@pytest.mark.parametrize(
    ("text", "name", "devices", "hours"),
    [
        ("8xh100 for 3 days", "h100-sxm", 8, 72),
        ("8 x H100 for 3d", "h100-sxm", 8, 72),
        ("8×h100-pcie for 90 min", "h100-pcie", 8, 1.5),
        ("16 h100s for 1 week", "h100-sxm", 16, 168),
        ("a100 for 1 day 12 hours", "a100-sxm-80", 1, 36),
        ("512 A100 40GB for 53 days", "a100-sxm-40", 512, 1272),
        ("2 x 4090 for 1 day, 3 h and 30 min", "rtx-4090", 2, 27.5),
        ("1024x TPU v4 for 2w", "tpu-v4", 1024, 336),
        ("2 hours on 4 l4", "l4", 4, 2),
        ("3600s on mi300x", "mi300x", 1, 1),
    ],
)
def test_devices_for_a_time(text: str, name: str, devices: int, hours: float) -> None:
    budget = parse_budget(text)
    device = DEVICES[name]
    assert budget.device is device
    assert budget.devices == devices
    assert budget.seconds == pytest.approx(3600 * hours)
    assert budget.flops == pytest.approx(
        devices * device.flops_per_second[device.half_format] * UTILISATION * 3600 * hours
    )
    assert device.title in budget.text


def test_the_usual_form_of_a_short_name_is_said() -> None:
    assert parse_budget("8xh100 for 3 days").text == "8 x H100 SXM for 3 days at 40% of 989.4 TFLOP/s"
    assert parse_budget("v100 for 1 hour", 0.3).text == "1 x V100 SXM2 32 GB for 1 hour at 30% of 125 TFLOP/s"


@given(st.sampled_from(sorted(DEVICES)), st.integers(1, 100_000), st.floats(1e-3, 1e6).map(lambda x: float(f"{x:.6f}")))
def test_every_device_by_its_name(name: str, devices: int, hours: float) -> None:
    budget = parse_budget(f"{devices}x{name} for {hours:.6f} h", 0.5)
    assert (budget.device, budget.devices) == (DEVICES[name], devices)
    assert budget.seconds == pytest.approx(3600 * hours, rel=1e-3, abs=0.01)
    assert budget.petaflop_days == pytest.approx(budget.flops / 8.64e19)


def test_here_is_measured_only_when_it_is_asked_for() -> None:
    measured: list[Device] = []

    def here() -> Device:
        measured.append(DEVICES["t4"])
        return DEVICES["t4"]

    parse_budget("8xh100 for 3 days", here=here)
    assert measured == []
    for text in ("10 minutes here", "here for 10 minutes", "10 min on here"):
        assert parse_budget(text, here=here).flops == pytest.approx(65e12 * 0.4 * 600)
    assert len(measured) == 3
    assert parse_budget("10 minutes here", here=DEVICES["t4"]) == parse_budget("10 minutes here", here=here)
    with pytest.raises(UsageError, match="needs this machine's speed, and none was given"):
        parse_budget("10 minutes here")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("banana", r"'banana' is no budget that can be read\. Write \"1e21 flops\", \"2 pf-days\", \"8xh100 for 3"),
        ("", "is no budget that can be read"),
        ("nan", "is no budget"),
        ("-3", "is no budget"),
        ("3 days", r'A time alone needs what computes: "3 days here" or "3 days on 8xh100"'),
        ("8xh100", r'Devices need a time: "8xh100 for 3 days"'),
        ("100 tflop/s", "FLOP/s are a speed"),
        ("0 flops", "needs one above 0 that is finite"),
        ("1e400", "needs one above 0 that is finite"),
        ("0xh100 for 3 days", "has the number 0"),
        ("8xh1000 for 3 days", r"There is no device 'h1000'\. Did you mean 'h100'\? There are: v100-sxm2-16,"),
        ("8xrtx for 3 days", r"There is no device 'rtx'\. Did you mean 'rtx"),
        ("8xh100 for 3 m", r"'m' .* is no unit of time\. Did you mean 'min'\?"),
        ("8xh100 for 3 houres", r"'houres' .* Did you mean 'hours'\?"),
        ("8xh100 for three days", "no time that can be read in 'three days'"),
        ("8xh100 for 3 days 4", "no time that can be read"),
    ],
)
def test_what_cannot_be_read_says_what_can(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_budget(text)


@given(st.text(max_size=40))
def test_any_text_is_a_budget_or_a_usage_error(text: str) -> None:
    try:
        budget = parse_budget(text, here=DEVICES["t4"])
    except UsageError:
        return
    assert 0 < budget.flops < math.inf


@pytest.mark.parametrize("utilisation", [0, -0.1, 1.01, math.nan])
def test_a_utilisation_is_a_share(utilisation: float) -> None:
    with pytest.raises(UsageError, match="above 0 and at most 1"):
        parse_budget("1e21", utilisation)


def test_published_runs() -> None:
    """FLOPs of devices and days at the utilisation that the papers' figures come to, against 6 N D."""
    llama = parse_budget("2048 a100 for 21 days", 0.478)
    assert llama.flops == pytest.approx(6 * 65.3e9 * 1.4e12, rel=0.02)
    bloomberg = parse_budget("512 a100-40 for 53 days", 102 / 312)
    assert bloomberg.flops == pytest.approx(2.36e23, rel=0.02)  # with what is computed twice
    planned = parse_budget(f"1 a100-40 for {1.3e6 * 0.75} h", 101.5 / 312)
    assert APPROACH_1.optimum(planned.flops).parameters == pytest.approx(52.993e9, rel=0.01)


def test_plain_data() -> None:
    plain = parse_budget("8xh100 for 3 days").to_dict()
    assert plain["device"] == "h100-sxm"
    assert plain["flops"] == pytest.approx(8 * H100 * 0.4 * 259_200)
    assert parse_budget("1 a100 for 1 s", 1).flops == A100
