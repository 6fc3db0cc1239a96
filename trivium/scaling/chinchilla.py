"""The laws of Hoffmann et al. 2022 ("Training compute-optimal large language models", arXiv 2203.15556), and a refit.

N: all parameters    D: tokens    C: FLOPs    L: nats a token of the paper's tokenizer (32,000 words). No torch.

Approaches 1 (the least over training curves) and 2 (valleys of equal FLOPs) are power laws of C. The paper prints their
exponents with two digits, with which nothing can be recomputed: the lines here are regressions of its tables 3 and A3,
the same that Wu et al. 2023 (BloombergGPT, section 3.2) use.

Approach 3 is L = E + A/N^α + B/D^β. **Its printed constants (equation 10) are rounded, and that matters**: for Gopher's
5.76e23 FLOPs they give 32 billion parameters, the unrounded ones of the paper's own source 40 billion, as in its
figure 4. Besiroglu et al. 2024 (arXiv 2404.10102) find that the fit had not converged; theirs, to the same runs read
off the figure, agrees with approaches 1 and 2: about 20 tokens a parameter.

Misprints that nothing here uses: approach 3's FLOPs for 175B in table A3 (1.26e24 for 1.26e25), approach 1's tokens for
67B in table 3 (1.5T for 1.43T), and section 3.4's 4.41e24 FLOPs for 175B, of an older fit.
"""

__all__ = [
    "APPROACH_1",
    "APPROACH_2",
    "APPROACH_3",
    "APPROACH_3_ROUNDED",
    "BESIROGLU",
    "PowerFrontier",
]

import math
from dataclasses import dataclass

from trivium.scaling.law import Law, Rule
from trivium.scaling.parametric import Optimum, ParametricLaw


@dataclass(frozen=True)
class PowerFrontier:
    """log10 N = slope · log10 C + intercept, with what is left for D; no loss."""

    slope: float
    intercept: float

    def optimum(self, flops: float | int, flops_per_parameter_and_token: float | int = 6) -> Optimum:
        """N_opt of the line, and the tokens that spend C. The line is for k = 6."""
        spent = 6 / flops_per_parameter_and_token * flops
        parameters = 10 ** (self.slope * math.log10(spent) + self.intercept)
        return Optimum(float(flops), float(parameters), float(spent / (6 * parameters)))

    def loss(self, parameters: float | int, tokens: float | int) -> float | None:
        """None: the line says nothing about the loss."""
        return None


def _law(name: str, title: str, rule: Rule, source: str) -> Law:
    # Section 3: over 400 models of 70M to 16B parameters, on 5 to 500 billion tokens.
    return Law(name, title, rule, source, (70e6, 16e9), (5e9, 500e9), tokenizer="Chinchilla's (32,000 words)")


APPROACH_1 = _law(
    "chinchilla-1",
    "Chinchilla's approach 1",
    PowerFrontier(slope=0.498, intercept=-1.004),
    "Hoffmann et al. 2022, table 3, as a line through its logarithms",
)
APPROACH_2 = _law(
    "chinchilla-2",
    "Chinchilla's approach 2",
    PowerFrontier(slope=0.490, intercept=-0.839),
    "Hoffmann et al. 2022, table A3, as a line through its logarithms",
)
APPROACH_3 = _law(
    "chinchilla-3",
    "Chinchilla's approach 3",
    ParametricLaw(
        irreducible=math.exp(0.5267228),
        size_scale=math.exp(6.0073404),
        data_scale=math.exp(6.0179186),
        size_exponent=0.33917084,
        data_exponent=0.2849083,
        source="Hoffmann et al. 2022, equation 10 unrounded, from the paper's source",
    ),
    "Hoffmann et al. 2022, equation 10 unrounded, from the paper's source",
)
APPROACH_3_ROUNDED = _law(
    "chinchilla-3-rounded",
    "Chinchilla's approach 3 as printed",
    ParametricLaw(1.69, 406.4, 410.7, 0.34, 0.28, source="Hoffmann et al. 2022, equation 10 as printed"),
    "Hoffmann et al. 2022, equation 10 as printed; rounding takes a fifth off its sizes",
)
BESIROGLU = _law(
    "besiroglu",
    "Besiroglu et al. 2024",
    ParametricLaw(1.8172, 482.01, 2085.43, 0.3478, 0.3658, source="Besiroglu et al. 2024, refit of approach 3"),
    "Besiroglu et al. 2024, approach 3 fitted again to 240 runs of Hoffmann et al. 2022",
)
