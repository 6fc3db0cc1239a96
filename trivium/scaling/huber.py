"""The Huber loss of L = E + A / N^α + B / D^β on log loss, for many laws at once, with its derivatives. No torch.

    Σ_i w_i Huber_δ( LSE(a − α x_i, b − β y_i, e) − log L_i ),    Huber_δ(r) = r²/2 for |r| ≤ δ, δ (|r| − δ/2) beyond

with A, B, E = exp(a, b, e) and δ = 1e-3 (Hoffmann et al. 2022, equation 3): summed over the points, not averaged.

x, y: log N and log D less their means, so that a and b are the terms' logarithms in the middle of the data, where
they are well determined. Letters: S laws, P points. A law is a row (a, b, e, α, β).
"""

__all__ = ["DELTA", "Derivatives", "Problem", "Resample"]

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from trivium.scaling.parametric import ParametricLaw

#: Where a residual of log loss stops to count by its square. Smaller than any run's noise: nearly the sum of |r|.
DELTA: Final = 1e-3


@dataclass(frozen=True)
class Resample:
    """What a bootstrap changes: how often each point is there, and what is added to its log loss. One row a law."""

    weights: Float[np.ndarray, "S P"]
    shifts: Float[np.ndarray, "S P"]

    def __getitem__(self, rows: Int[np.ndarray, "T"]) -> "Resample":
        return Resample(self.weights[rows], self.shifts[rows])


@dataclass(frozen=True)
class Derivatives:
    """Gradient and second derivatives of the objective by (a, b, e, α, β).

    `majorizer` is the matrix of iteratively reweighted least squares: never indefinite, so that steps are damped by it.
    """

    gradient: Float[np.ndarray, "S 5"]
    hessian: Float[np.ndarray, "S 5 5"]
    majorizer: Float[np.ndarray, "S 5 5"]


@dataclass(frozen=True)
class Problem:
    """The points of a fit. All numbers are positive."""

    parameters: Float[np.ndarray, "P"]
    tokens: Float[np.ndarray, "P"]
    losses: Float[np.ndarray, "P"]
    delta: float = DELTA

    @cached_property
    def log_losses(self) -> Float[np.ndarray, "P"]:
        """Log L."""
        return np.asarray(np.log(self.losses))

    @cached_property
    def centre(self) -> tuple[float, float]:
        """The means of log N and log D."""
        return float(np.log(self.parameters).mean()), float(np.log(self.tokens).mean())

    @cached_property
    def x(self) -> Float[np.ndarray, "P"]:
        """Log N less its mean."""
        return np.asarray(np.log(self.parameters) - self.centre[0])

    @cached_property
    def y(self) -> Float[np.ndarray, "P"]:
        """Log D less its mean."""
        return np.asarray(np.log(self.tokens) - self.centre[1])

    def terms(self, laws: Float[np.ndarray, "S 5"]) -> Float[np.ndarray, "S 3 P"]:
        """The logarithms of A / N^α, B / D^β and E at every point."""
        a, b, e, alpha, beta = (laws[:, [column]] for column in range(5))
        return np.stack([a - alpha * self.x, b - beta * self.y, np.broadcast_to(e, (len(laws), len(self.x)))], axis=1)

    def as_measured(self, laws: int = 1) -> Resample:
        """No resample: every point once, as it is, for so many laws."""
        shape = (laws, len(self.x))
        return Resample(np.broadcast_to(1.0, shape), np.broadcast_to(0.0, shape))

    def predicted(self, laws: Float[np.ndarray, "S 5"]) -> tuple[Float[np.ndarray, "S P"], Float[np.ndarray, "S 3 P"]]:
        """The logarithm of each law's loss at every point, and the share that each of its terms has in that loss."""
        terms = self.terms(laws)
        most = terms.max(axis=1)
        shares = np.exp(terms - most[:, None])
        total = shares.sum(axis=1)
        return most + np.log(total), shares / total[:, None]

    def objective(self, laws: Float[np.ndarray, "S 5"], resample: Resample) -> Float[np.ndarray, "S"]:
        """The weighted sum of Huber losses, of each law on its resample."""
        size = np.abs(self.predicted(laws)[0] - self.log_losses - resample.shifts)
        inside = np.minimum(size, self.delta)
        summed: Float[np.ndarray, "S"] = (resample.weights * inside * (size - inside / 2)).sum(axis=1)
        return summed

    def derivatives(self, laws: Float[np.ndarray, "S 5"], resample: Resample) -> Derivatives:
        """First and second derivatives of `objective`.

        With p_k a term's share of the prediction and u_k what it is differentiated by, the prediction has the gradient
        J = Σ p_k u_k and the second derivative Σ p_k u_k u_kᵀ − J Jᵀ.
        """
        predicted, share = self.predicted(laws)
        residuals, weights = predicted - self.log_losses - resample.shifts, resample.weights
        slope = np.stack([*share.swapaxes(0, 1), -self.x * share[:, 0], -self.y * share[:, 1]], axis=1)
        pull = weights * np.clip(residuals, -self.delta, self.delta)
        bend = weights * (np.abs(residuals) <= self.delta)
        hessian = (slope * (bend - pull)[:, None]) @ slope.swapaxes(1, 2)
        hessian += self._own_curvature(share * pull[:, None])
        reweighted = weights * self.delta / np.maximum(np.abs(residuals), self.delta)
        majorizer = (slope * reweighted[:, None]) @ slope.swapaxes(1, 2)
        return Derivatives((slope @ pull[..., None])[..., 0], hessian, majorizer)

    def _own_curvature(self, pulled: Float[np.ndarray, "S 3 P"]) -> Float[np.ndarray, "S 5 5"]:
        """Σ_i ψ_i p_k u_k u_kᵀ: u is (1, −x) in (a, α), (1, −y) in (b, β), 1 in e."""
        out = np.zeros((len(pulled), 5, 5))
        for term, exponent, along in ((0, 3, self.x), (1, 4, self.y)):
            out[:, term, term] = pulled[:, term].sum(axis=1)
            out[:, term, exponent] = out[:, exponent, term] = -(pulled[:, term] @ along)
            out[:, exponent, exponent] = pulled[:, term] @ along**2
        out[:, 2, 2] = pulled[:, 2].sum(axis=1)
        return out

    def law(self, row: Float[np.ndarray, "5"], source: str = "") -> ParametricLaw:
        """A row as a law in the units of the points."""
        a, b, e, alpha, beta = (float(value) for value in row)
        size_scale, data_scale = np.exp(a + alpha * self.centre[0]), np.exp(b + beta * self.centre[1])
        return ParametricLaw(float(np.exp(e)), float(size_scale), float(data_scale), alpha, beta, source)

    def row(self, law: ParametricLaw) -> Float[np.ndarray, "5"]:
        """A law as a row: the inverse of `law`."""
        a = np.log(law.size_scale) - law.size_exponent * self.centre[0]
        b = np.log(law.data_scale) - law.data_exponent * self.centre[1]
        return np.array([a, b, np.log(law.irreducible), law.size_exponent, law.data_exponent])
