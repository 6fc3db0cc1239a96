"""Kaplan et al.'s forms: the paper's own constants recovered from its own laws, and scipy's least squares."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from tests.scaling.planted import planted
from trivium.errors import DataError
from trivium.scaling import kaplan
from trivium.scaling.fit_kaplan import fit_kaplan
from trivium.scaling.points import Point

SIZES, TOKENS = np.geomspace(1e6, 1e10, 9), np.geomspace(2e7, 2e10, 7)


def test_the_joint_law_of_table_2_is_recovered() -> None:
    points = [
        Point(float(n), float(d), float(6 * n * d), kaplan.loss_of_size_and_data(n, d)) for n in SIZES for d in TOKENS
    ]
    found = fit_kaplan(points)
    assert found.joint_size.exponent == pytest.approx(0.076, rel=1e-4)
    assert found.joint_data.exponent == pytest.approx(0.103, rel=1e-4)
    assert found.joint_size.scale == pytest.approx(6.4e13, rel=1e-2)
    assert found.joint_data.scale == pytest.approx(1.8e13, rel=1e-2)
    assert found.loss(1.5e9, 1e10) == pytest.approx(kaplan.loss_of_size_and_data(1.5e9, 1e10), rel=1e-5)


def test_the_laws_of_one_variable_are_recovered_where_the_other_does_not_bind() -> None:
    of_size = [
        Point(float(n), 1e9 * (1 + k), 1e20 * n * (1 + k), kaplan.loss_of_size(n)) for n in SIZES for k in range(3)
    ]
    size = fit_kaplan(of_size).size
    assert size is not None
    assert (size.exponent, size.scale) == pytest.approx((0.076, 8.8e13), rel=1e-6)
    of_data = [
        Point(1e9 * (1 + k), float(d), 1e20 * d * (1 + k), kaplan.loss_of_data(d)) for d in TOKENS for k in range(3)
    ]
    data = fit_kaplan(of_data).data
    assert data is not None
    assert (data.exponent, data.scale) == pytest.approx((0.095, 5.4e13), rel=1e-6)


def test_the_law_of_compute_is_of_the_lowest_losses() -> None:
    flops = np.geomspace(1e17, 1e21, 8)
    best = [Point(c**0.5, c**0.5 / 6, float(c), kaplan.loss_of_naive_compute(c)) for c in flops]
    worse = [Point(2 * p.parameters, p.tokens / 2, p.flops, 1.1 * p.loss) for p in best]
    found = fit_kaplan([*best, *worse]).compute
    assert found is not None
    assert (found.exponent, found.scale) == pytest.approx((0.057, 1.6e7), rel=1e-6)


def test_scipy_finds_no_closer_joint_law() -> None:
    points = planted(0, count=40, outliers=0)
    size, data, loss = np.log([(point.parameters, point.tokens, point.loss) for point in points]).T

    def off(numbers: np.ndarray) -> np.ndarray:
        ratio, size_scale, data_scale, exponent = numbers
        return np.asarray(exponent * np.logaddexp(ratio * (size_scale - size), data_scale - data) - loss)

    found = fit_kaplan(points)
    ours = [
        found.joint_size.exponent / found.joint_data.exponent,
        np.log(found.joint_size.scale),
        np.log(found.joint_data.scale),
        found.joint_data.exponent,
    ]
    squares = (off(np.array(ours)) ** 2).sum()
    theirs = [least_squares(off, np.array(ours) * (1 + 0.1 * k), x_scale="jac") for k in (-1, 0, 1)]
    assert squares <= min(2 * one.cost for one in theirs) * (1 + 1e-4)


def test_where_the_smallest_model_is_the_best_there_is_no_law_of_size() -> None:
    points = [Point(n, 1e9 * k / n, 6e9 * k, 3 + n / 1e3 - k / 10) for n in (1e2, 2e2, 3e2) for k in (1.0, 2.0, 3.0)]
    assert fit_kaplan(points).size is None


def test_points_that_hold_no_law() -> None:
    with pytest.raises(DataError, match="are too few"):
        fit_kaplan(planted(0, count=4))


def test_plain_data() -> None:
    assert set(fit_kaplan(planted(0, count=12)).to_dict()["size"]) == {"scale", "exponent"}
