"""Kaplan et al. 2020's forms, fitted to one's own points. No torch.

    L(N) = (N_c / N)^α_N        losses that no smaller model reached: those with enough data
    L(D) = (D_c / D)^α_D        losses that no fewer tokens reached: those of large models
    L(C) = (C_c / C)^α_C        losses that no smaller compute reached; C in petaflop/s-days
    L(N, D) = ((N_c / N)^(α_N / α_D) + D_c / D)^α_D        all points (equation 1.5)

They have no irreducible loss, so they hold over a range and not beyond. The first three are lines in logarithms. The
fourth is one too, in α_D, where the two numbers p = α_N / α_D and w = p log N_c − log D_c are known:

    log L = α_D (log D_c + log(exp(w − p log N) + 1 / D))

and those are searched for on a grid that zooms in.
"""

__all__ = ["KaplanFit", "fit_kaplan"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from trivium.scaling.cautions import check_points
from trivium.scaling.frontier import power_law
from trivium.scaling.kaplan import FLOPS_OF_A_PETAFLOP_DAY, Power
from trivium.scaling.points import Point

_SIDE: Final = 41
_ZOOMS: Final = 12


@dataclass(frozen=True)
class KaplanFit:
    """The laws of size, of data and of compute alone, and size and data of the joint law.

    One of the first three is None where no more than one point is on it.
    """

    size: Power | None
    data: Power | None
    compute: Power | None
    joint_size: Power
    joint_data: Power

    def loss(self, parameters: float | int, tokens: float | int) -> float:
        """L(N, D) by the joint law, in nats a token."""
        ratio = self.joint_size.exponent / self.joint_data.exponent
        lack_of_size = (self.joint_size.scale / parameters) ** ratio
        return float((lack_of_size + self.joint_data.scale / tokens) ** self.joint_data.exponent)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


def fit_kaplan(points: Sequence[Point]) -> KaplanFit:
    """The four forms by least squares of log loss. Raises `DataError` for points that hold no law of N and D."""
    check_points(points)
    joint_size, joint_data = _joint(points)
    return KaplanFit(
        size=_lower_edge([(point.parameters, point.loss) for point in points]),
        data=_lower_edge([(point.tokens, point.loss) for point in points]),
        compute=_lower_edge([(point.flops / FLOPS_OF_A_PETAFLOP_DAY, point.loss) for point in points]),
        joint_size=joint_size,
        joint_data=joint_data,
    )


def _lower_edge(pairs: Sequence[tuple[float, float]]) -> Power | None:
    """(scale / x)^exponent through the losses that no smaller x reached, by least squares in logarithms."""
    edge: list[tuple[float, float]] = []
    for x, loss in sorted(pairs):
        if not edge or loss < edge[-1][1]:
            edge.append((x, loss))
    if len(edge) < 2:
        return None
    law = power_law(*np.array(edge, dtype=float).T)
    return Power(float(np.exp(-np.log(law.scale) / law.exponent)), -law.exponent)


def _joint(points: Sequence[Point]) -> tuple[Power, Power]:
    columns = np.array([(point.parameters, point.tokens, point.loss) for point in points], dtype=float)
    log_size, log_data, log_loss = np.log(columns).T
    x, y = log_size - log_size.mean(), log_data - log_data.mean()
    low, high = np.array([0.02, -20.0]), np.array([4.0, 20.0])
    best, error = (low + high) / 2, np.inf
    for _ in range(_ZOOMS):
        p, w = (np.linspace(low[axis], high[axis], _SIDE) for axis in (0, 1))
        grid = np.stack([axis.ravel() for axis in np.meshgrid(p, w, indexing="ij")], axis=1)
        errors = _regressed(_shape(grid, x, y), log_loss)[2]
        if errors.min() <= error:
            best, error = grid[errors.argmin()], float(errors.min())
        reach = (high - low) / 8
        low, high = np.maximum(best - reach, [0.005, -np.inf]), best + reach
    slope, level, _ = _regressed(_shape(best[None], x, y), log_loss)
    ratio, offset = (float(value) for value in best)
    exponent = float(slope[0])
    # Back from the middle of the data: the level is α_D (log D_c − mean log D).
    log_data_scale = float(level[0]) / exponent + float(log_data.mean())
    log_size_scale = (offset + log_data_scale - float(log_data.mean())) / ratio + float(log_size.mean())
    return Power(float(np.exp(log_size_scale)), ratio * exponent), Power(float(np.exp(log_data_scale)), exponent)


def _shape(
    grid: Float[np.ndarray, "S 2"], x: Float[np.ndarray, "P"], y: Float[np.ndarray, "P"]
) -> Float[np.ndarray, "S P"]:
    return np.asarray(np.logaddexp(grid[:, [1]] - grid[:, [0]] * x, -y))


def _regressed(
    shape: Float[np.ndarray, "S P"], log_loss: Float[np.ndarray, "P"]
) -> tuple[Float[np.ndarray, "S"], Float[np.ndarray, "S"], Float[np.ndarray, "S"]]:
    """Slope and level of log loss on each row, and the squares that are left; a slope below zero fits nothing."""
    centred, target = shape - shape.mean(axis=1, keepdims=True), log_loss - log_loss.mean()
    slope = (centred @ target) / np.maximum((centred**2).sum(axis=1), 1e-300)
    level = log_loss.mean() - slope * shape.mean(axis=1)
    left = ((slope[:, None] * centred - target) ** 2).sum(axis=1)
    return slope, level, np.where(slope > 0, left, np.inf)
