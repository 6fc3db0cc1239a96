"""Least squares with weights that are not negative (Lawson & Hanson 1974, chapter 23).

Letters: P rows, F weights.
"""

__all__ = ["non_negative_least_squares"]

import numpy as np
from jaxtyping import Float


def non_negative_least_squares(matrix: Float[np.ndarray, "P F"], wanted: Float[np.ndarray, "P"]) -> np.ndarray:
    """The weights w ≥ 0 that minimise |matrix · w − wanted|².

    Weights enter one by one, the one that the residual asks for most first; where the fit of those that are in makes
    one negative, the step there ends at its zero and it leaves. The residual shrinks at every entry, so that no set
    comes twice; rounding may let one come again, so that entries are also counted.
    """
    weights, inside = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1], dtype=bool)
    tolerance = 1e-10 * np.abs(matrix.T @ wanted).max(initial=0.0)
    for _ in range(10 * matrix.shape[1]):
        asked = np.where(inside, 0.0, matrix.T @ (wanted - matrix @ weights))
        if asked.max() <= tolerance:
            break
        inside[asked.argmax()] = True
        weights = _settle(matrix, wanted, weights, inside)
    return weights


def _settle(matrix: np.ndarray, wanted: np.ndarray, weights: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Fit those `inside`; the first that would pass zero on the way leaves, until none does."""
    while True:
        fitted = np.zeros_like(weights)
        fitted[inside] = np.linalg.lstsq(matrix[:, inside], wanted, rcond=None)[0]
        crossing = inside & (fitted <= 0)
        if not crossing.any():
            return fitted
        share = (weights[crossing] / (weights[crossing] - fitted[crossing])).min()
        weights = weights + share * (fitted - weights)
        inside &= weights > 1e-14 * weights.max()
        weights[~inside] = 0.0
