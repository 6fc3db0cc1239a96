"""Power laws of the frontier."""

import numpy as np
import pytest

from trivium.scaling.frontier import FrontierLaw, PowerLaw, power_law
from trivium.scaling.law import Rule


def test_a_power_law_is_recovered_from_its_own_points() -> None:
    x = np.geomspace(1e18, 1e24, 7)
    found = power_law(x, 0.09 * x**0.497)
    assert found.exponent == pytest.approx(0.497, rel=1e-12)
    assert found.scale == pytest.approx(0.09, rel=1e-9)
    assert found(1e21) == pytest.approx(0.09 * 1e21**0.497)


def test_the_line_is_that_of_least_squares_in_logarithms() -> None:
    generator = np.random.default_rng(0)
    x, y = np.exp(generator.normal(40, 3, 20)), np.exp(generator.normal(20, 1, 20))
    slope, level = np.linalg.lstsq(np.stack([np.log(x), np.ones(20)], axis=1), np.log(y), rcond=None)[0]
    found = power_law(x, y)
    assert found.exponent == pytest.approx(slope, rel=1e-9)
    assert np.log(found.scale) == pytest.approx(level, rel=1e-9)


def test_chinchillas_first_approach_says_what_its_table_says() -> None:
    law = FrontierLaw(PowerLaw(10**-1.004, 0.498), PowerLaw(10**0.229, 0.502))
    best = law.optimum(1e21)
    assert best.parameters == pytest.approx(2.86e9, rel=0.01)  # section D.4
    assert best.loss is None
    assert law.loss(1e9, 2e10) is None
    assert law.size_share == 0.498
    assert isinstance(law, Rule)
