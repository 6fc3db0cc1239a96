"""Variable projection: the same minimum by another road, its linear part against scipy's."""

import numpy as np
import pytest
from scipy.optimize import nnls

from tests.scaling.planted import CHINCHILLA, planted
from trivium.scaling.descent import descend
from trivium.scaling.fit_parametric import problem_of
from trivium.scaling.projection import _non_negative, project


@pytest.mark.parametrize("seed", range(2))
def test_it_comes_to_the_minimum_of_the_descent(seed: int) -> None:
    problem = problem_of(planted(seed, count=60))
    law, objective = project(problem)
    lowest = descend(problem, problem.row(CHINCHILLA)[None], 300).objective[0]
    assert objective == pytest.approx(lowest, rel=1e-3)
    assert problem.objective(problem.row(law)[None], problem.as_measured())[0] == pytest.approx(objective, rel=1e-9)


def test_a_law_without_noise_is_found() -> None:
    law, _ = project(problem_of(planted(0, count=40, noise=0, outliers=0)))
    assert law.size_exponent == pytest.approx(CHINCHILLA.size_exponent, rel=0.01)
    assert law.data_exponent == pytest.approx(CHINCHILLA.data_exponent, rel=0.01)
    assert law.irreducible == pytest.approx(CHINCHILLA.irreducible, rel=0.01)


def test_the_linear_part_is_scipys_non_negative_least_squares() -> None:
    generator = np.random.default_rng(0)
    columns, weights = generator.random((50, 3, 12)), generator.random((50, 12))
    measured = generator.normal(size=12)
    measured[0] = 5.0
    ours = _non_negative(columns, weights, measured)
    for mine, design, weight in zip(ours, columns, weights, strict=True):
        theirs, _ = nnls((design * np.sqrt(weight)).T, measured * np.sqrt(weight))
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-9)
    assert (ours == 0).any(), "no case in which a column is left out"
