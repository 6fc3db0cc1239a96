"""Published runs: their hours give their utilisation."""

import pytest

from trivium.plan.published_runs import PUBLISHED_RUNS, utilisation_range


@pytest.mark.parametrize(
    ("name", "percent"), [("llama-7b", 43.7), ("llama-65b", 47.8), ("bloom-176b", 31.8), ("bloomberggpt", 23.6)]
)
def test_model_utilisation(name: str, percent: float) -> None:
    assert round(100 * PUBLISHED_RUNS[name].model_utilisation, 1) == percent


def test_the_range_of_published_runs() -> None:
    assert [f"{share:.0%}" for share in utilisation_range()] == ["24%", "48%"]


def test_llama_65b_read_as_fast_as_its_paper_says() -> None:
    """380 tokens a second and GPU, about 21 days of 2048."""
    run = PUBLISHED_RUNS["llama-65b"]
    assert run.tokens / run.device_hours / 3600 == pytest.approx(380, rel=0.002)
    assert run.device_hours / 2048 / 24 == pytest.approx(21, rel=0.02)


def test_bloomberggpt_s_budget() -> None:
    """Its 2.36e23 operations are those of the hardware, with what activation checkpointing recomputes."""
    run = PUBLISHED_RUNS["bloomberggpt"]
    assert pytest.approx(run.tokens, rel=1e-4) == 7200 * 1024 * 2048 + 132_000 * 2048 * 2048  # its batch schedule
    assert run.flops == pytest.approx(1.726e23, rel=1e-3)
    recomputed = run.flops * 4 / 3
    assert recomputed == pytest.approx(2.30e23, rel=2e-3)
    by_rate = 102e12 * run.device_hours * 3600  # 102 TFLOP/s, 512 devices, 53 days
    assert by_rate == pytest.approx(2.39e23, rel=2e-3)
    assert recomputed < 2.36e23 < by_rate
    assert round(100 * run.hardware_utilisation(by_rate), 1) == 32.7
    assert round(100 * run.hardware_utilisation(run.flops), 1) == 23.6
