"""Data that is read more than once (Muennighoff et al. 2023, "Scaling data-constrained language models"). No torch.

N: parameters    D: tokens read    U_D: tokens that are different    R_D = D/U_D − 1: repetitions, epochs − 1
U_N: the parameters for which U_D tokens are optimal    R_N = N/U_N − 1: the excess of parameters over those

A repeated token is worth less the more often it has been read, and so is a parameter beyond those that the data can
use: L(N, D) = E + A/N'^α + B/D'^β with D' = U_D + U_D R*_D (1 − e^(−R_D/R*_D)), N' likewise (equations 5 and 6). The
decay is gentler for data (R*_D = 15.4) than for size (R*_N = 5.3): more compute goes into epochs first. Four epochs are
almost as good as fresh data; no number of them is worth more than 1 + R*_D = 16.4 of fresh data.
"""

__all__ = ["C4", "DATA_DECAY", "SIZE_DECAY", "RepetitionLaw", "epochs_worth", "worth_of_epoch"]

import math
from dataclasses import dataclass

from trivium.errors import UsageError
from trivium.scaling.law import Law
from trivium.scaling.minimum import lowest
from trivium.scaling.parametric import Optimum, ParametricLaw

#: R*_D and R*_N (appendix A).
DATA_DECAY, SIZE_DECAY = 15.387756, 5.309743

_EXPONENT = 0.3526596

#: Runs that read nothing twice, on C4, with α = β (appendix A, equation 17 for a single epoch).
C4 = Law(
    "muennighoff",
    "Muennighoff et al. 2023",
    ParametricLaw(
        irreducible=math.exp(0.6254804),
        size_scale=math.exp(6.255414),
        data_scale=math.exp(7.3049974),
        size_exponent=_EXPONENT,
        data_exponent=_EXPONENT,
        source="Muennighoff et al. 2023, appendix A",
    ),
    "Muennighoff et al. 2023, appendix A, fitted to C4",
    parameters=(7e6, 9e9),
    tokens=(100e6, 900e9),
    tokenizer="GPT-2's (50,257 words)",
)


@dataclass(frozen=True)
class RepetitionLaw:
    """A law of fresh data, and how fast repeated data and excess parameters lose their worth.

    The decays are those that the paper fitted beside its own law; with another law they are a guess.
    """

    law: ParametricLaw
    data_decay: float = DATA_DECAY
    size_decay: float = SIZE_DECAY

    def effective_tokens(self, tokens: float | int, unique_tokens: float | int) -> float:
        """D': the fresh tokens that would teach as much (equation 5)."""
        unique = min(tokens, unique_tokens)
        return _effective(tokens, unique, self.data_decay)

    def effective_parameters(self, parameters: float | int, unique_tokens: float | int) -> float:
        """N': the parameters that the data can use (equation 6)."""
        useful = min(parameters, self.useful_parameters(unique_tokens))
        return _effective(parameters, useful, self.size_decay)

    def useful_parameters(self, unique_tokens: float | int) -> float:
        """U_N: the size for which `unique_tokens`, read once, are the optimal data: 0.051 U_D by the paper's law."""
        law = self.law
        ratio = (law.size_exponent * law.size_scale) / (law.data_exponent * law.data_scale)
        scale = ratio ** (1 / (law.size_exponent + law.data_exponent))
        return float(scale * (unique_tokens * scale) ** (law.data_exponent / law.size_exponent))

    def loss(self, parameters: float | int, tokens: float | int, unique_tokens: float | int) -> float:
        """L of N parameters after `tokens`, of which no more than `unique_tokens` are different."""
        return self.law.loss(
            self.effective_parameters(parameters, min(tokens, unique_tokens)),
            self.effective_tokens(tokens, unique_tokens),
        )

    def lowest_loss(self, unique_tokens: float | int) -> float:
        """What no compute goes below with these data: both decays run out."""
        return self.law.loss(
            self.useful_parameters(unique_tokens) * (1 + self.size_decay), unique_tokens * (1 + self.data_decay)
        )

    def optimum(
        self, flops: float | int, unique_tokens: float | int, flops_per_parameter_and_token: float | int = 6
    ) -> Optimum:
        """The size and the tokens (epochs and all) of lowest loss for `flops`, where data may run out."""
        fresh = self.law.optimum(flops, flops_per_parameter_and_token)
        if fresh.tokens <= unique_tokens:
            return fresh
        product = flops / flops_per_parameter_and_token

        def loss_of(parameters: float) -> float:
            return self.loss(parameters, product / parameters, unique_tokens)

        parameters = lowest(loss_of, fresh.parameters / 1e3, fresh.parameters * 1e3)
        return Optimum(float(flops), parameters, product / parameters, loss_of(parameters))


def worth_of_epoch(epoch: float | int, decay: float = DATA_DECAY) -> float:
    """What a token of that epoch (1 is the first) is worth beside a fresh one: e^(−(epoch − 1)/R*_D)."""
    return math.exp(-(epoch - 1) / decay)


def epochs_worth(share: float | int, decay: float = DATA_DECAY) -> float:
    """The epoch whose tokens are worth `share` of fresh ones. Raises `UsageError` outside of (0, 1]."""
    if not 0 < share <= 1:
        raise UsageError(f"A share of a fresh token's worth is above 0 and at most 1, got {share}.")
    return 1 - decay * math.log(share)


def _effective(amount: float | int, base: float | int, decay: float) -> float:
    return float(base * (1 + decay * -math.expm1(-(amount / base - 1) / decay)))
