"""The plan of a model: what the file fixes, what follows from C = 6 N D and D = 20 N, and what cannot be."""

from dataclasses import replace

import pytest
import torch

from trivium.errors import BudgetError
from trivium.plan.calibration import StepTime
from trivium.plan.machine import Machine, measure_machine
from trivium.plan.memory import training_memory
from trivium.plan.shapes import shape
from trivium.project.estimate import Estimate, _pauses, estimate, settings_of, workload_of
from trivium.project.prepare import Material, prepare
from trivium.project.read import parse_project
from trivium.train.precision import Precision
from trivium.train.settings import TrainSettings

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
        assert 0 < quote.seconds < quote.whole_seconds
        assert quote.step_seconds > 0
        assert quote.memory_bytes == training_memory(made.workload(material, machine.precision)).total
        assert sum(quote.rest.values()) == quote.memory.rest
        assert made.flops_per_token * quote.tokens == pytest.approx(quote.flops, rel=0.01)
        assert Estimate.from_dict(made.to_dict()) == made


def test_more_seconds_never_make_a_smaller_model(small: dict, machine: Machine) -> None:
    [material] = materials_of(small, "gpt2")
    small["model"] |= {"dim": None, "tokens_per_parameter": 0.2}
    project = parse_project(small)
    little, much = (estimate(project, material, machine, CPU, seconds).quote for seconds in (4.0, 16.0))
    assert little.parameters < much.parameters


def test_the_largest_that_time_allows_is_no_larger_than_memory_allows(small: dict, machine: Machine) -> None:
    """A machine of great promise and little memory: the first guess would not fit, and is not even timed."""
    [material] = materials_of(small, "gpt2")
    small["model"] |= {"dim": None, "tokens_per_parameter": 0.02}
    fast = replace(machine, memory_bytes=20_000_000, precision=Precision("float32", 1e15))
    quote = estimate(parse_project(small), material, fast, CPU, 60.0).quote
    assert quote.memory_bytes <= 20_000_000
    assert quote.dim > 32
    with pytest.raises(BudgetError, match="No smaller step and no smaller model of it fits"):
        estimate(parse_project(small), material, replace(fast, memory_bytes=10_000), CPU, 60.0)


def test_what_does_not_fit_the_memory_is_refused_before_it_is_built(small: dict, machine: Machine) -> None:
    [material] = materials_of(small, "gpt2")
    small["model"]["dim"] = 16_384
    with pytest.raises(BudgetError, match=r"of tensors at its peak .* and 1 GB are free.*model.dim \d+ \("):
        estimate(parse_project(small), material, replace(machine, memory_bytes=10**9), CPU, 60.0)


def test_steps_and_tokens_do_not_depend_on_how_fast_steps_were(
    small: dict, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T5's rows hold unequal numbers of tokens: a mean over the steps that were timed would not be the same twice."""
    [material] = materials_of(small, "t5")
    project, quotes = parse_project(small), []
    for tokens in (500.0, 530.5):
        found = StepTime(0.01, tokens, 0.01)
        monkeypatch.setattr("trivium.project.estimate.time_step", lambda *given, found=found, **named: found)
        quotes.append(estimate(project, material, machine, CPU, 60.0))
    assert quotes[0] == quotes[1]


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_the_workload_is_what_the_batches_are(small: dict, family: str) -> None:
    [material] = materials_of(small, family)
    small["train"] = {"batch_tokens": 1000, "accumulation": 4, "activation_checkpointing": True, "optimizer": "muon"}
    settings = settings_of(parse_project(small), material, steps=100, parameters=10**6)
    rows = settings.rows(1)
    batches = tuple(material.loader(0).micro_batches(0, rows, rows // 4))
    architecture = shape(material.family, 32, material.tokenizer.vocabulary, material.length)
    step = workload_of(architecture, batches, settings, Precision("bfloat16"))
    assert (step.rows * step.accumulation, step.inputs) == (rows, batches[0].input_ids.shape[1])
    assert (step.precision, step.optimizer, step.activation_checkpointing) == ("bfloat16", "muon", True)
    assert step.masked == any(batch.documents is not None for batch in batches)
    targets = sum(batch.target_tokens for batch in batches)
    assert step.targets * 4 == pytest.approx(targets, abs=2)
    if family == "t5":
        assert step.outputs == batches[0].decoder_input_ids.shape[1]
    else:
        assert step.outputs is None


def test_the_pauses_of_a_run() -> None:
    every = TrainSettings(steps=100, validate_every=30)
    assert _pauses(every, 10.0) == (4, 4), "the last step is validated, too"
    assert _pauses(every.model_copy(update={"keep_best": False}), 10.0) == (4, 1)
    assert _pauses(every.model_copy(update={"checkpoint_every": 10}), 10.0) == (4, 10)
    assert _pauses(every.model_copy(update={"checkpoint_every_seconds": 5.0}), 31.0) == (4, 6)


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
