"""Calibration: weights that are recovered, probes that ask for everything, and a real one in small."""

from pathlib import Path

import numpy as np
import pytest
import torch

from trivium.families.registry import FAMILIES
from trivium.plan import profiling
from trivium.plan.machine import Machine
from trivium.plan.profile import predict_step
from trivium.plan.profiling import calibrate, fit_weights, left_out_errors, machine_profile, probes
from trivium.plan.step_features import FEATURES, step_features
from trivium.plan.workload import Workload
from trivium.train.precision import Precision

SLOW_HALF = Machine("m", "cpu", 1, 10**9, Precision("float32", 7e10, 2e9))
GPU = Machine("m", "cuda:0", 1, 10**9, Precision("bfloat16", 2e13, 3e14))


@pytest.fixture
def kept_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own process must not keep what it freed."""
    monkeypatch.setattr(profiling, "keep_freed_memory", lambda: True)


def matrix(workloads: list[Workload]) -> np.ndarray:
    return np.array([step_features(workload) for workload in workloads])


@pytest.mark.parametrize("machine", [SLOW_HALF, GPU])
def test_probes_tell_every_kind_of_work_apart(machine: Machine) -> None:
    """A machine of known weights is found again: no kind of work is missing, or always beside another."""
    features = matrix(probes(machine))
    assert np.linalg.matrix_rank(features / features.max(axis=0)) == len(FEATURES)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(FEATURES)) / features.mean(axis=0)
    assert fit_weights(features, features @ weights) == pytest.approx(weights, rel=1e-5)
    assert np.abs(left_out_errors(features, features @ weights)).max() < 1e-5


def test_emulated_bfloat16_is_probed_in_small() -> None:
    def flops(machine: Machine) -> float:
        return max(probe.flops for probe in probes(machine) if probe.precision == "bfloat16")

    assert 100 * flops(SLOW_HALF) < flops(GPU)


def test_noise_is_weighed_relatively_and_no_weight_is_negative() -> None:
    """Times off by a few percent are fitted to a few percent, however short they are."""
    features, random = matrix(probes(SLOW_HALF)), np.random.default_rng(1)
    times = features @ (1 / features.mean(axis=0)) * random.uniform(0.97, 1.03, len(features))
    weights = fit_weights(features, times)
    assert (weights >= 0).all()
    assert np.abs(features @ weights / times - 1).max() < 0.03
    scaled = fit_weights(features, 10 * times)
    assert scaled == pytest.approx(10 * weights, rel=1e-5)


@pytest.mark.usefixtures("kept_as_it_is")
def test_a_real_calibration_predicts_its_own_probes() -> None:
    def step(family: str, dim: int, rows: int) -> Workload:
        model = FAMILIES[family].preset(vocab=64, dim=dim, depth=2, heads=2, positions=32)
        return Workload(model, rows=rows, inputs=32)

    wanted = [step(family, dim, rows) for family in ("bert", "gpt2") for dim in (32, 64) for rows in (1, 16)]
    lines: list[str] = []
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found = calibrate(SLOW_HALF, wanted, seconds=0, report=lines.append)
    assert torch.equal(torch.rand(3), expected)
    assert len(lines) == len(wanted) == found.probes
    assert lines[0].startswith("probe 1 of 8: bert, ")
    assert tuple(found.weights) == FEATURES
    assert 0 <= found.error <= found.worst_error
    assert found.seconds > 0
    assert all(predict_step(found, workload) > 0 for workload in wanted)
    assert predict_step(found, wanted[-1]) > predict_step(found, wanted[0])


@pytest.mark.usefixtures("kept_as_it_is")
def test_a_machine_is_calibrated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = FAMILIES["gpt2"].preset(vocab=64, dim=32, depth=2, heads=2, positions=32)
    few = [Workload(model, rows=rows, inputs=8) for rows in (1, 2, 4)]
    monkeypatch.setattr(profiling, "probes", lambda machine: few)
    monkeypatch.setattr(profiling, "_SECONDS", 0.0)
    lines: list[str] = []
    cpu = torch.device("cpu")
    found = machine_profile(cpu, report=lines.append, cache=tmp_path)
    assert lines[0].startswith("calibrating ")
    lines.clear()
    assert machine_profile(cpu, report=lines.append, cache=tmp_path) == found
    assert lines == []
    again = machine_profile(cpu, fresh=True, report=lines.append, cache=tmp_path)
    assert again.seconds != found.seconds
    assert machine_profile(cpu, cache=tmp_path) == again
