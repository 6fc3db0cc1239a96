"""From a budget to a size: Chinchilla's rule, and a ladder that is climbed by measuring."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.architecture import Architecture
from trivium.errors import BudgetError
from trivium.families.registry import family_named
from trivium.plan.budget import FLOPS_PER_PARAMETER_AND_TOKEN, compute_optimal_parameters, largest_within
from trivium.plan.shapes import shapes

LADDER = list(itertools.islice(shapes(family_named("gpt2"), vocab=200, positions=64), 12))


@pytest.mark.parametrize(("flops", "parameters"), [(1.21e20, 1e9), (1.23e22, 10e9), (5.76e23, 67e9)])
def test_chinchilla_table_3(flops: float, parameters: float) -> None:
    """Hoffmann et al. 2022, table 3: within the 5 % by which 20 tokens a parameter rounds the table's 20.1 to 22."""
    assert compute_optimal_parameters(flops, "decoder") == pytest.approx(parameters, rel=0.05)


@given(
    flops=st.floats(1e12, 1e26),
    ratio=st.floats(1, 200),
    kind=st.sampled_from(["encoder", "decoder", "encoder-decoder"]),
)
def test_the_size_spends_the_budget(flops, ratio, kind) -> None:
    parameters = compute_optimal_parameters(flops, kind, ratio)
    rule = 3 if kind == "encoder-decoder" else 6  # Brown et al. 2020, table D.1
    assert rule * parameters * (ratio * parameters) == pytest.approx(flops)
    assert FLOPS_PER_PARAMETER_AND_TOKEN[kind] == rule


def test_t5_of_table_d1() -> None:
    """Brown et al. 2020, table D.1: T5-11B, 10^12 tokens, 382 petaflop/s-days."""
    flops = FLOPS_PER_PARAMETER_AND_TOKEN["encoder-decoder"] * 11e9 * 1e12
    assert flops / 8.64e19 == pytest.approx(382, rel=0.001)


@given(
    seconds=st.floats(1e-2, 1e4),
    believed=st.floats(1e6, 1e12),
    real=st.floats(1e6, 1e12),
    overhead=st.floats(0, 1),
)
def test_the_largest_that_fits_whatever_was_believed_first(seconds, believed, real, overhead) -> None:
    """The measurement decides: the first guess changes only how long the search takes, and no shape is timed twice."""
    timed: list[Architecture] = []

    def seconds_of(architecture: Architecture) -> float:
        timed.append(architecture)
        return overhead + 6 * 20 * architecture.parameters**2 / real

    fitting = [rung for rung in LADDER if overhead + 120 * rung.parameters**2 / real <= seconds]
    if fitting:
        found, taken = largest_within(LADDER, seconds, seconds_of, believed)
        assert found == fitting[-1]
        assert taken == overhead + 120 * found.parameters**2 / real <= seconds
    else:
        with pytest.raises(BudgetError, match=f"smallest gpt2 of {LADDER[0].parameters:,} parameters would take"):
            largest_within(LADDER, seconds, seconds_of, believed)
    assert len(timed) == len(set(timed))


def test_a_right_belief_needs_two_measurements() -> None:
    timed = []

    def seconds_of(architecture: Architecture) -> float:
        timed.append(architecture)
        return 120 * architecture.parameters**2 / 1e9

    wanted = LADDER[9]
    seconds = 120 * wanted.parameters**2 / 1e9 * 1.0001
    assert largest_within(LADDER, seconds, seconds_of, 1e9)[0] == wanted
    assert timed == [wanted, LADDER[10]]
    assert math.isclose(compute_optimal_parameters(1e9 * seconds, "decoder"), wanted.parameters, rel_tol=1e-3)
