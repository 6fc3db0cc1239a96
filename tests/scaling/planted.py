"""Points of a law that is known, with the noise and the outliers of real experiments: what a fit must find again."""

import math

import numpy as np

from trivium.scaling.parametric import ParametricLaw
from trivium.scaling.points import Point

#: Hoffmann et al. 2022, equation 10, unrounded from the paper's source.
CHINCHILLA = ParametricLaw(math.exp(0.5267228), math.exp(6.0073404), math.exp(6.0179186), 0.33917084, 0.2849083)
#: Those of Hoffmann et al. 2022, section 3.2.
BUDGETS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21)


def measured(law: ParametricLaw, parameters: float, tokens: float, error: float = 0.0, run: str = "") -> Point:
    """A model of the law, its log loss off by `error`, with C = 6 N D."""
    loss = law.loss(parameters, tokens) * math.exp(error)
    return Point(float(parameters), float(tokens), float(6 * parameters * tokens), loss, run)


def planted(
    seed: int, count: int = 250, noise: float = 0.01, outliers: float = 0.04, law: ParametricLaw = CHINCHILLA
) -> list[Point]:
    """Models of 70M to 16B parameters and 6e18 to 3e21 FLOPs, as Hoffmann et al. trained.

    `noise` is the standard deviation of log loss; of the models, `outliers` went wrong: 5 to 30 % more loss.
    """
    generator = np.random.default_rng(seed)
    sizes = np.exp(generator.uniform(math.log(70e6), math.log(16e9), count))
    flops = np.exp(generator.uniform(math.log(6e18), math.log(3e21), count))
    errors = noise * generator.standard_normal(count)
    errors += np.where(generator.random(count) < outliers, generator.uniform(0.05, 0.3, count), 0.0)
    return [measured(law, *row) for row in zip(sizes, flops / 6 / sizes, errors, strict=True)]


def isoflops(seed: int, noise: float = 0.004, sizes: int = 9, law: ParametricLaw = CHINCHILLA) -> list[Point]:
    """Nine budgets, each spent on sizes up to a factor of 4.5 around the best."""
    generator = np.random.default_rng(seed)
    return [
        measured(law, size, flops / 6 / size, noise * generator.standard_normal())
        for flops in BUDGETS
        for size in law.optimum(flops).parameters * np.exp(np.linspace(-1.5, 1.5, sizes))
    ]


def curves(seed: int, noise: float = 0.002, runs: int = 14, moments: int = 40) -> list[Point]:
    """Training curves of 70M to 16B parameters."""
    generator = np.random.default_rng(seed)
    return [
        measured(CHINCHILLA, size, tokens, noise * generator.standard_normal(), f"run {number}")
        for number, size in enumerate(np.geomspace(70e6, 16e9, runs))
        for tokens in np.geomspace(1e9, 500e9, moments)
    ]
