"""The plan of a model: what the file fixes, what follows from C = 6 N D and D = 20 N, and what cannot be."""

from dataclasses import replace

import pytest
import torch

from trivium.errors import BudgetError
from trivium.plan.machine import Machine, measure_machine
from trivium.project.estimate import Estimate, estimate, settings_of
from trivium.project.prepare import Material, prepare
from trivium.project.read import parse_project

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def machine() -> Machine:
    return measure_machine(CPU, "float32")


def materials_of(small: dict, *families: str) -> list[Material]:
    small["model"]["families"] = list(families)
    return prepare(parse_project(small))


def test_the_quote_is_consistent(small: dict, machine: Machine) -> None:
    for material in materials_of(small, "bert", "gpt2", "t5"):
        project = parse_project(small)
        made = estimate(project, material, machine, CPU, 60.0)
        quote, settings = made.quote, made.settings
        assert quote.dim == 32
        assert (settings.steps, settings.batch_rows, settings.seed) == (quote.steps, quote.rows, 3)
        assert quote.tokens == pytest.approx(0.4 * quote.parameters, rel=0.5)
        assert 0.2 < quote.flops / quote.rule_flops < 5
        assert quote.seconds > 0
        assert made.flops_per_token * quote.tokens == pytest.approx(quote.flops, rel=0.01)
        assert Estimate.from_dict(made.to_dict()) == made


def test_more_seconds_never_make_a_smaller_model(small: dict, machine: Machine) -> None:
    [material] = materials_of(small, "gpt2")
    small["model"] |= {"dim": None, "tokens_per_parameter": 0.2}
    project = parse_project(small)
    little, much = (estimate(project, material, machine, CPU, seconds).quote for seconds in (4.0, 16.0))
    assert little.parameters < much.parameters


def test_what_does_not_fit_the_memory_is_refused_before_it_is_built(small: dict, machine: Machine) -> None:
    [material] = materials_of(small, "gpt2")
    small["model"]["dim"] = 16_384
    with pytest.raises(BudgetError, match=r"GB are free. Set train.accumulation above 1"):
        estimate(parse_project(small), material, replace(machine, memory_bytes=10**9), CPU, 60.0)


def test_the_file_has_the_last_word(small: dict) -> None:
    [material] = materials_of(small, "gpt2")
    small["train"] = {"batch_tokens": 1000, "accumulation": 4, "validate_every": 7}
    settings = settings_of(parse_project(small), material, steps=100, parameters=10**6)
    assert (settings.batch_rows, settings.accumulation, settings.validate_every) == (16, 4, 7)
    small["train"] = {}
    settings = settings_of(parse_project(small), material, steps=100, parameters=10**6)
    # Kaplan et al. 2020, equation D.1, at a million parameters.
    assert settings.learning_rate == pytest.approx(0.003239 - 0.0001395 * 13.8155, rel=1e-4)
    assert settings.batch_rows == 8192 // 64
