"""A ladder's law: planted ones are found again, and the large run is the best that can be built."""

import math
from pathlib import Path

import pytest

from trivium.errors import BudgetError
from trivium.families.registry import family_named
from trivium.plan.shapes import shape, shapes
from trivium.project.ladder import LadderPlan, ladder_project, step_flops
from trivium.project.ladder_fit import Forecast, forecast, frontier, target_for
from trivium.project.prepare import Material, prepare
from trivium.project.read import parse_project
from trivium.project.rungs import MeasuredRun, Rung
from trivium.scaling.law import Size

DIMS = (32, 48, 64, 96, 128)
ROWS, LENGTH = 16, 64


@pytest.fixture(scope="module")
def material(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Material:
    content = {"data": {"mix": [{"path": str(corpus)}], "length": LENGTH}, "model": {"vocabulary": 500}}
    (made,) = prepare(ladder_project(parse_project(content), "gpt2", tmp_path_factory.mktemp("ladder")))
    return made


@pytest.fixture(scope="module")
def plan(material: Material) -> LadderPlan:
    rungs = []
    for dim in DIMS:
        small = shape(material.family, dim, 500, LENGTH)
        flops = step_flops(material, small, ROWS, LENGTH)
        longest = round(2e13 / flops)
        sizes = (small.parameters, small.non_embedding_parameters)
        steps = tuple(round(part * longest) for part in (0.25, 0.5, 1))
        rungs.append(Rung(dim, 2, *sizes, ROWS, float(ROWS * LENGTH), flops, flops / 1e11, steps))
    return LadderPlan(tuple(rungs), 100, float(LENGTH))


def planted(plan: LadderPlan, size: Size, noise: float = 0.0) -> list[MeasuredRun]:
    """Runs that follow L = 1.8 + 20 / N^0.3 + 60 / D^0.35, with N counted one way."""
    runs = []
    for rung in plan.rungs:
        for number, steps in enumerate(rung.steps):
            count = rung.parameters if size == "all" else rung.body_parameters
            tokens = steps * rung.step_tokens
            loss = (1.8 + 20 / count**0.3 + 60 / tokens**0.35) * math.exp(noise * math.sin(7 * number + rung.dim))
            sizes = (rung.dim, rung.parameters, rung.body_parameters)
            runs.append(MeasuredRun(*sizes, steps, round(tokens), steps * rung.step_flops, loss, 0.01))
    return runs


@pytest.fixture(scope="module")
def found(plan: LadderPlan) -> Forecast:
    return forecast(planted(plan, "all"))


def test_a_planted_law_is_found_and_foretells_the_largest_size(found: Forecast, plan: LadderPlan) -> None:
    assert found.backtest is not None
    assert found.backtest < 1e-4
    large = shape_of_width(256)
    expected = 1.8 + 20 / large[0] ** 0.3 + 60 / 1e9**0.35
    assert found.size == "all"
    assert found.loss(*large, 1e9)[0] == pytest.approx(expected, rel=2e-3)


def test_the_way_its_size_is_counted_is_found_and_errors_widen_the_interval(plan: LadderPlan) -> None:
    found = forecast(planted(plan, "non-embedding", noise=0.002))
    assert found.size == "non-embedding"
    assert found.backtest is not None
    assert found.backtest > 1e-4
    loss, low, high = found.loss(*shape_of_width(256), 1e9)
    assert low <= loss * math.exp(-found.backtest) * (1 + 1e-12)
    assert high >= loss * math.exp(found.backtest) * (1 - 1e-12)


def test_three_sizes_are_enough_and_leave_none_to_foretell(plan: LadderPlan) -> None:
    found = forecast([run for run in planted(plan, "all") if run.dim in DIMS[::2]])
    assert found.size == "all"
    assert found.backtest is None


def test_the_large_run_is_the_one_of_the_wanted_tokens_a_parameter(
    found: Forecast, material: Material, plan: LadderPlan
) -> None:
    target = target_for(found, material, plan, 10 * plan.largest_flops, 20)
    assert 10 <= target.times < 10.2
    assert target.low <= target.loss <= target.high
    distance = abs(math.log(target.tokens / target.parameters / 20))
    for other in shapes(material.family, 500, LENGTH):
        tokens = target.flops / step_flops(material, other, ROWS, LENGTH) * ROWS * LENGTH
        assert abs(math.log(tokens / other.parameters / 20)) >= distance - 0.02
        if tokens < other.parameters:
            break


def test_no_shape_of_the_frontier_costs_the_same_and_loses_less(
    found: Forecast, material: Material, plan: LadderPlan
) -> None:
    flops = 10 * plan.largest_flops
    edge = frontier(found, material, plan, [plan.largest_flops, flops])
    assert edge[0] > edge[1]
    for other in shapes(material.family, 500, LENGTH):
        tokens = flops / step_flops(material, other, ROWS, LENGTH) * ROWS * LENGTH
        if tokens < 200 * ROWS * LENGTH:
            break
        assert found.law(other.parameters, other.non_embedding_parameters, tokens) >= edge[1] * (1 - 1e-3)


def test_a_large_run_that_is_not_larger_is_refused(found: Forecast, material: Material, plan: LadderPlan) -> None:
    with pytest.raises(BudgetError, match=r"no more than those of the ladder's largest run .* such as \"8x\""):
        target_for(found, material, plan, plan.largest_flops, 20)


def shape_of_width(dim: int) -> tuple[int, int]:
    architecture = shape(family_named("gpt2"), dim, 500, LENGTH)
    return architecture.parameters, architecture.non_embedding_parameters
