"""The simulation of a step beside real steps, and beside the formulas where a real step is too large."""

import pytest
import torch

from tests.plan.test_memory import CASES, measured, tiny
from trivium.families.registry import FAMILIES
from trivium.plan.memory import training_memory
from trivium.plan.simulate import simulate_step
from trivium.plan.workload import Workload


@pytest.mark.parametrize("name", ["encoder", "muon", "two kinds of pairs", "LoRA and checkpointing", "bfloat16"])
def test_a_simulated_step_peaks_as_a_real_one(name: str) -> None:
    simulated, tracker = simulate_step(CASES[name]), measured(CASES[name])
    assert simulated.weights == tracker.at_peak["weights"]
    assert simulated.optimizer == tracker.at_peak["optimizer"]
    assert simulated.total == pytest.approx(tracker.peak, rel=0.001)
    assert simulated.to_dict()["total"] == simulated.total


def test_a_model_that_fits_no_machine_is_simulated() -> None:
    wide = FAMILIES["gpt3"].preset(vocab=50_257, dim=12_288, depth=2, heads=96, positions=2048)
    work = Workload(wide, 4, 2048, activation_checkpointing=True)
    simulated = simulate_step(work)
    assert simulated.weights == 4 * wide.parameters > 10e9
    assert simulated.total == pytest.approx(training_memory(work).total, rel=0.001)


def test_what_drew_numbers_before_draws_the_same_after() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    simulate_step(Workload(tiny("gpt2", depth=1), 1, 8))
    assert torch.equal(torch.rand(3), expected)
