"""Approach 3: Chinchilla's own constants recovered, the global minimum by other people's optimizers."""

import math

import numpy as np
import pytest
from scipy.optimize import differential_evolution, least_squares

from tests.scaling.planted import planted
from trivium.scaling.fit_parametric import fit_parametric, grid_of_starts, problem_of, refit
from trivium.scaling.huber import Resample


def test_the_published_grid() -> None:
    problem = problem_of(planted(0, count=20))
    starts = grid_of_starts(problem)
    assert starts.shape == (4500, 5)
    laws = [problem.law(row) for row in starts[:: 4499 // 7]]
    assert {round(math.log(law.size_scale)) for law in laws} <= {0, 5, 10, 15, 20, 25}
    assert sorted(set(starts[:, 2])) == [-1, -0.5, 0, 0.5, 1]
    assert sorted(set(starts[:, 3])) == sorted(set(starts[:, 4])) == [0, 0.5, 1, 1.5, 2]


def test_chinchillas_unrounded_constants_are_recovered_from_its_own_law() -> None:
    law, convergence = fit_parametric(problem_of(planted(0, count=25, noise=0, outliers=0)))
    assert math.log(law.size_scale) == pytest.approx(6.0073404, abs=1e-6)
    assert math.log(law.data_scale) == pytest.approx(6.0179186, abs=1e-6)
    assert math.log(law.irreducible) == pytest.approx(0.5267228, abs=1e-7)
    assert law.size_exponent == pytest.approx(0.33917084, abs=1e-7)
    assert law.data_exponent == pytest.approx(0.2849083, abs=1e-7)
    assert law.optimum(5.76e23).parameters == pytest.approx(40.4e9, rel=0.003)
    assert convergence.converged
    assert convergence.confirmed
    assert convergence.starts == 4500


@pytest.mark.slow
def test_no_other_optimizer_finds_a_lower_objective() -> None:
    problem = problem_of(planted(7, count=30, noise=0.02))
    law, convergence = fit_parametric(problem)
    one = problem.as_measured()

    def residuals(row: np.ndarray) -> np.ndarray:
        return np.asarray(problem.predicted(row[None])[0][0] - problem.log_losses)

    best = problem.row(law)
    generator = np.random.default_rng(0)
    for _ in range(10):
        start = best + generator.normal(0, 0.3, 5)
        start[3:] = np.abs(start[3:])
        bounds = ([-20, -20, -20, 0.005, 0.005], [20, 20, 20, 3, 3])
        found = least_squares(residuals, start, loss="huber", f_scale=1e-3, bounds=bounds, x_scale="jac")
        assert found.cost >= convergence.objective * (1 - 1e-6)
    searched = differential_evolution(
        lambda row: float(problem.objective(row[None], one)[0]),
        [(-4, 1), (-4, 1), (-2, 1), (0.01, 2), (0.01, 2)],
        rng=0,
        maxiter=250,
        polish=True,
    )
    assert searched.fun >= convergence.objective * (1 - 1e-6)
    assert searched.fun == pytest.approx(convergence.objective, rel=0.02)


def test_it_says_how_sure_it_is() -> None:
    _, convergence = fit_parametric(problem_of(planted(1, count=30)))
    assert convergence.converged
    assert convergence.confirmed
    assert 1 < convergence.agreeing <= convergence.polished == 40
    assert convergence.to_dict()["objective"] == pytest.approx(convergence.projected_objective, rel=1e-3)


def test_a_refit_of_what_was_measured_stays() -> None:
    problem = problem_of(planted(2, count=30))
    law, convergence = fit_parametric(problem)
    weights = np.ones((2, 30))
    weights[1] = 2
    again = refit(problem, law, Resample(weights, np.zeros((2, 30))))
    np.testing.assert_allclose(again.objective, [convergence.objective, 2 * convergence.objective], rtol=1e-6)
    np.testing.assert_allclose(again.laws[0], again.laws[1], rtol=1e-3)
