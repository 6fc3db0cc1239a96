"""The laws of Kaplan et al. 2020 ("Scaling laws for neural language models", arXiv 2001.08361). No torch.

N: parameters without embeddings    D: tokens    B: tokens of a batch    S: steps    C: FLOPs, 6 N B S
L: nats a token of GPT-2's tokenizer, in contexts of 1024

Traps: α_N / α_D = 0.74 of the overfitting rule holds with table 2's α_D alone (table 5's gives 0.80). The exponent of
N_opt that follows from the others is α_C / α_N = 0.68, the measured one 0.73. Table 6's data is what is read at the
critical batch, 2 B S_min, which spends 2 C_min: who spends C there has C_min = C / 2 to look up.
"""

__all__ = [
    "FLOPS_OF_A_PETAFLOP_DAY",
    "KAPLAN",
    "KaplanFrontier",
    "Power",
    "critical_batch_tokens",
    "derived_compute_law",
    "loss_of_compute",
    "loss_of_data",
    "loss_of_naive_compute",
    "loss_of_size",
    "loss_of_size_and_data",
    "loss_of_size_and_steps",
    "minimal_flops",
    "minimal_steps",
    "optimal_batch_tokens",
    "optimal_parameters",
    "optimal_steps",
    "optimal_tokens",
    "tokens_against_overfitting",
]

from dataclasses import dataclass

from trivium.scaling.law import Law
from trivium.scaling.parametric import Optimum

#: 10^15 FLOP/s for a day (section 1.3).
FLOPS_OF_A_PETAFLOP_DAY = 1e15 * 24 * 3600


@dataclass(frozen=True)
class Power:
    """(scale / x)^exponent."""

    scale: float
    exponent: float

    def __call__(self, x: float | int) -> float:
        """The value at x, which is in the unit of the scale."""
        return float((self.scale / x) ** self.exponent)


# Table 5.
_SIZE = Power(8.8e13, 0.076)
_DATA = Power(5.4e13, 0.095)
_NAIVE_COMPUTE = Power(1.6e7, 0.057)
_COMPUTE = Power(3.1e8, 0.050)
_STEPS = Power(2.1e3, 0.76)
_BATCH_TOKENS, _BATCH_EXPONENT = 2.1e8, 0.21
# Table 2: the fit of equation 1.5, with other constants than those of one variable.
_JOINT_SIZE = Power(6.4e13, 0.076)
_JOINT_DATA = Power(1.8e13, 0.103)


def loss_of_size(parameters: float | int) -> float:
    """L(N) = (N_c / N)^α_N, with enough data (equation 1.1, table 5)."""
    return _SIZE(parameters)


def loss_of_data(tokens: float | int) -> float:
    """L(D) = (D_c / D)^α_D, for large models stopped in time (equation 1.2, table 5)."""
    return _DATA(tokens)


def loss_of_compute(minimal: float | int) -> float:
    """L(C_min), for FLOPs spent as well as can be: best size, batches far below critical (equation 1.3, table 5)."""
    return _COMPUTE(minimal / FLOPS_OF_A_PETAFLOP_DAY)


def loss_of_naive_compute(flops: float | int) -> float:
    """L(C), for FLOPs spent at one fixed batch size, as measured (section 3.3, table 5)."""
    return _NAIVE_COMPUTE(flops / FLOPS_OF_A_PETAFLOP_DAY)


def loss_of_size_and_data(parameters: float | int, tokens: float | int) -> float:
    """L(N, D) = ((N_c / N)^(α_N / α_D) + D_c / D)^α_D, trained until it overfits (equation 1.5, table 2)."""
    lack_of_size = (_JOINT_SIZE.scale / parameters) ** (_JOINT_SIZE.exponent / _JOINT_DATA.exponent)
    return float((lack_of_size + _JOINT_DATA.scale / tokens) ** _JOINT_DATA.exponent)


def loss_of_size_and_steps(parameters: float | int, steps: float | int) -> float:
    """L(N, S_min) = (N_c / N)^α_N + (S_c / S_min)^α_S, with data without end (equation 1.6, table 5)."""
    return _SIZE(parameters) + _STEPS(steps)


def critical_batch_tokens(loss: float | int) -> float:
    """B_crit = B* / L^(1 / α_B): there time and compute are both twice their least (equation 1.4, table 5)."""
    return float(_BATCH_TOKENS / loss ** (1 / _BATCH_EXPONENT))


def minimal_steps(steps: float | int, batch_tokens: float | int, critical: float | int) -> float:
    """S_min = S / (1 + B_crit / B): the steps that a batch without end would take (equation 5.4)."""
    return float(steps / (1 + critical / batch_tokens))


def minimal_flops(flops: float | int, batch_tokens: float | int, critical: float | int) -> float:
    """C_min = C / (1 + B / B_crit): the FLOPs that a tiny batch would take (equation 5.5)."""
    return float(flops / (1 + batch_tokens / critical))


def optimal_parameters(minimal: float | int) -> float:
    """N_opt = 1.3e9 · C_min^0.73, C_min in petaflop/s-days (table 6); argument in FLOPs."""
    return float(1.3e9 * (minimal / FLOPS_OF_A_PETAFLOP_DAY) ** 0.73)


def optimal_batch_tokens(minimal: float | int) -> float:
    """B = 2.0e6 · C_min^0.24 (table 6); argument in FLOPs."""
    return float(2.0e6 * (minimal / FLOPS_OF_A_PETAFLOP_DAY) ** 0.24)


def optimal_steps(minimal: float | int) -> float:
    """S_min = 5.4e3 · C_min^0.03, the least that are needed (table 6); argument in FLOPs."""
    return float(5.4e3 * (minimal / FLOPS_OF_A_PETAFLOP_DAY) ** 0.03)


def optimal_tokens(minimal: float | int) -> float:
    """D_opt = 2e10 · C_min^0.27, one epoch at the critical batch (table 6); argument in FLOPs."""
    return float(2e10 * (minimal / FLOPS_OF_A_PETAFLOP_DAY) ** 0.27)


def tokens_against_overfitting(parameters: float | int) -> float:
    """D ≥ 5e3 · N^0.74: data with which overfitting stays below 2 % of the loss (equation 4.4)."""
    return float(5e3 * parameters**0.74)


def derived_compute_law() -> Power:
    """L(C_min) as it follows from the laws of size, steps and batch (equations B.7 and B.8); scale in FLOPs.

    α_C = 1 / (1/α_S + 1/α_B + 1/α_N), and
    C_c = 6 N_c B* S_c (1 + α_N/α_S)^(1/α_S + 1/α_N) (α_S/α_N)^(1/α_S).
    """
    size, steps = _SIZE.exponent, _STEPS.exponent
    exponent = 1 / (1 / steps + 1 / _BATCH_EXPONENT + 1 / size)
    scale = 6 * _SIZE.scale * _BATCH_TOKENS * _STEPS.scale
    scale *= (1 + size / steps) ** (1 / steps + 1 / size) * (steps / size) ** (1 / steps)
    return Power(scale, exponent)


@dataclass(frozen=True)
class KaplanFrontier:
    """Training at the critical batch, as the paper plans it: half of the FLOPs are C_min."""

    def optimum(self, flops: float | int, flops_per_parameter_and_token: float | int = 6) -> Optimum:
        """N_opt(C / 2) of table 6, and the tokens that spend C."""
        spent = 6 / flops_per_parameter_and_token * flops
        parameters = optimal_parameters(spent / 2)
        tokens = float(spent / (6 * parameters))
        return Optimum(float(flops), parameters, tokens, self.loss(parameters, tokens))

    def loss(self, parameters: float | int, tokens: float | int) -> float:
        """Equation 1.6 at S_min = D / (2 B_crit(L)), an equation for L: its two sides meet once."""
        low, high = _SIZE(parameters), 1e3
        for _ in range(60):
            middle = (low * high) ** 0.5
            steps = tokens / (2 * critical_batch_tokens(middle))
            low, high = (middle, high) if loss_of_size_and_steps(parameters, steps) > middle else (low, middle)
        return float(high)


KAPLAN = Law(
    "kaplan",
    "Kaplan et al. 2020",
    KaplanFrontier(),
    "Kaplan et al. 2020, tables 5 and 6, at the critical batch",
    parameters=(768, 1.5e9),
    tokens=(22e6, 23e9),
    tokenizer="GPT-2's (50,257 words)",
    size="non-embedding",
)
