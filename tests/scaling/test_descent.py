"""Newton's method for many laws: it ends where L-BFGS ends, and says where it did not end."""

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.scaling.planted import planted
from trivium.scaling import descent
from trivium.scaling.descent import LARGEST_EXPONENT, SMALLEST_EXPONENT, Descent, descend
from trivium.scaling.fit_parametric import grid_of_starts, problem_of
from trivium.scaling.huber import Problem, Resample

PROBLEM = problem_of(planted(3, count=60))
STARTS = grid_of_starts(PROBLEM)[::600]


@pytest.fixture(scope="module")
def ended() -> Descent:
    return descend(PROBLEM, STARTS, 300)


def test_l_bfgs_finds_no_lower_minimum(ended: Descent) -> None:
    one = PROBLEM.as_measured()

    def objective(row: np.ndarray) -> tuple[float, np.ndarray]:
        # Scaled: the tolerances of L-BFGS stop it early where the objective is as small as a mean would be.
        value, slope = PROBLEM.objective(row[None], one)[0], PROBLEM.derivatives(row[None], one).gradient[0]
        return 1e3 * float(value), 1e3 * slope

    bounds = [(None, None)] * 3 + [(SMALLEST_EXPONENT, LARGEST_EXPONENT)] * 2
    options = {"maxiter": 3000, "maxfun": 10_000, "ftol": 1e-15, "gtol": 1e-10}
    theirs = [
        minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options) for start in STARTS
    ]
    lowest = min(float(found.fun) for found in theirs) / 1e3
    assert ended.objective.min() <= lowest * (1 + 1e-6)
    assert ended.objective.min() == pytest.approx(lowest, rel=1e-3)


def test_what_converged_has_no_slope_left(ended: Descent) -> None:
    best = ended.laws[ended.objective.argmin()][None]
    assert ended.converged[ended.objective.argmin()]
    assert np.abs(PROBLEM.derivatives(best, PROBLEM.as_measured()).gradient).max() < 1e-6


def test_what_was_stopped_early_is_not_called_converged() -> None:
    assert not descend(PROBLEM, STARTS, 2).converged.any()


def test_it_never_goes_up_nor_out_of_bounds() -> None:
    start = np.clip(STARTS, [-np.inf] * 3 + [SMALLEST_EXPONENT] * 2, [np.inf] * 3 + [LARGEST_EXPONENT] * 2)
    found = descend(PROBLEM, STARTS, 30)
    assert (found.objective <= PROBLEM.objective(start, PROBLEM.as_measured(len(start))) + 1e-12).all()
    assert found.laws[:, 3:].min() >= SMALLEST_EXPONENT
    assert found.laws[:, 3:].max() <= LARGEST_EXPONENT


def test_a_point_of_weight_zero_is_not_there(ended: Descent) -> None:
    kept = np.arange(60) % 5 != 0
    fewer = Problem(PROBLEM.parameters[kept], PROBLEM.tokens[kept], PROBLEM.losses[kept])
    start_law = PROBLEM.law(ended.laws[ended.objective.argmin()])
    weighed = descend(PROBLEM, PROBLEM.row(start_law)[None], 300, Resample(kept[None].astype(float), np.zeros((1, 60))))
    alone = descend(fewer, fewer.row(start_law)[None], 300)
    assert weighed.objective[0] == pytest.approx(alone.objective[0], rel=1e-7)
    assert PROBLEM.law(weighed.laws[0]).size_exponent == pytest.approx(fewer.law(alone.laws[0]).size_exponent, rel=1e-3)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = descend(PROBLEM, STARTS, 5)
    monkeypatch.setattr(descent, "_BLOCK", 4 * 60)
    np.testing.assert_allclose(descend(PROBLEM, STARTS, 5).objective, whole.objective, rtol=1e-9)


def test_no_starts_end_nowhere() -> None:
    assert len(descend(PROBLEM, STARTS[:0], 5).objective) == 0
