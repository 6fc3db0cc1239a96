"""A profile predicts by a weighted sum, and survives the disk."""

import subprocess
import sys
from pathlib import Path

import pytest

from trivium.families.registry import FAMILIES
from trivium.plan.profile import MachineProfile, load_profile, predict_step, profile_file, save_profile
from trivium.plan.step_features import FEATURES, step_features
from trivium.plan.workload import Workload

PROFILE = MachineProfile(
    machine="A processor, 2 cores",
    device="cpu",
    threads=2,
    torch_version="2.13.0+cpu",
    weights={name: 1e-9 * (number + 1) for number, name in enumerate(FEATURES)},
    error=0.02,
    worst_error=0.2,
    probes=25,
    seconds=20.5,
)


def step(rows: int) -> Workload:
    return Workload(FAMILIES["gpt2"].preset(vocab=40, dim=32, depth=2, heads=2, positions=16), rows=rows, inputs=8)


def test_a_step_is_the_sum_of_its_work() -> None:
    amounts = step_features(step(3))
    expected = sum(1e-9 * (number + 1) * amount for number, amount in enumerate(amounts))
    assert predict_step(PROFILE, step(3)) == pytest.approx(expected)
    assert predict_step(PROFILE, step(6)) < 2 * expected  # updates and calls are made once


def test_there_and_back(tmp_path: Path) -> None:
    file = profile_file("A processor, 2 cores", "cuda:0", 2, "2.13.0+cpu", tmp_path)
    assert file == tmp_path / "profiles" / "a-processor-2-cores-cuda-0-2-threads-torch-2.13.0-cpu.json"
    assert load_profile(file) is None
    save_profile(PROFILE, file)
    assert load_profile(file) == PROFILE
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def test_machines_threads_and_versions_have_files_of_their_own(tmp_path: Path) -> None:
    named = {
        profile_file(machine, "cpu", threads, version, tmp_path)
        for machine in ("a", "b")
        for threads in (1, 2)
        for version in ("2.13.0", "2.14.0")
    }
    assert len(named) == 8


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": "a"}', "null"])
def test_a_file_that_is_no_profile_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "profile.json"
    file.write_text(text)
    assert load_profile(file) is None


def test_a_profile_of_other_features_is_measured_anew(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    old = MachineProfile.from_dict({**PROFILE.to_dict(), "weights": {"products": 1.0}})
    save_profile(old, file)
    assert load_profile(file) is None


def test_predicting_needs_no_torch() -> None:
    code = "import sys, trivium.plan.profile; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
