"""How a model of a planned size is trained: batch, steps, learning rate, warm-up, schedule, each by a published rule.

Batch: a quarter of Kaplan et al.'s critical batch at the predicted loss, which costs a quarter more FLOPs than the
least and five times the fewest steps. It comes within a factor of 2.1 of every batch of GPT-3's table 2.1, and falls
between Chinchilla's 1.5 and 3 million tokens. Learning rate: Kaplan et al.'s equation D.1 up to GPT-3 Small, then table
2.1. Warm-up: LLaMA's 2,000 steps, at most a fiftieth of all. Then half a cosine down to a tenth over exactly the tokens
of the run (Hoffmann et al. 2022, section 3.1). No torch.
"""

__all__ = ["GPT3_TABLE", "Recipe", "batch_rows", "learning_rate", "recipe"]

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from trivium.scaling.kaplan import critical_batch_tokens

#: Brown et al. 2020, table 2.1: parameters (table D.1's), tokens of a batch, learning rate.
GPT3_TABLE: tuple[tuple[float, float, float], ...] = (
    (125e6, 0.5e6, 6.0e-4),
    (356e6, 0.5e6, 3.0e-4),
    (760e6, 0.5e6, 2.5e-4),
    (1.32e9, 1e6, 2.0e-4),
    (2.65e9, 1e6, 1.6e-4),
    (6.66e9, 2e6, 1.2e-4),
    (12.85e9, 2e6, 1.0e-4),
    (174.6e9, 3.2e6, 0.6e-4),
)

_CRITICAL_SHARE = 0.25
_WARMUP_STEPS = 2000
_WARMUP_SHARE = 0.02

_SOURCES = {
    "batch": "a quarter of the critical batch at the predicted loss (Kaplan et al. 2020, equation 1.4)",
    "learning_rate": "Kaplan et al. 2020, equation D.1, up to 125M parameters; from there Brown et al. 2020, table 2.1",
    "warmup": "2,000 steps (Touvron et al. 2023, section 2.3), at most a fiftieth of all",
    "schedule": "cosine to a tenth over the whole run (Hoffmann et al. 2022, section 3.1)",
    "optimizer": "AdamW, 0.9 and 0.95, decay 0.1, gradients clipped at 1 (Brown et al. 2020, appendix B)",
}


@dataclass(frozen=True)
class Recipe:
    """The settings of a run. `rows` hold `batch_tokens` together; `rules` say where each number is from."""

    rows: int
    batch_tokens: int
    steps: int
    learning_rate: float
    warmup_steps: int
    schedule: str = "cosine"
    floor: float = 0.1
    rules: Mapping[str, str] = field(default_factory=lambda: dict(_SOURCES))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return asdict(self)


def learning_rate(parameters: float | int) -> float:
    """The highest learning rate of a decoder with AdamW.

    0.003239 − 0.0001395 ln N (Kaplan et al. 2020, equation D.1) below GPT-3 Small; above, between the rows of Brown et
    al. 2020, table 2.1, along straight lines of logarithms, and past the last along the last of them.
    """
    if parameters < GPT3_TABLE[0][0]:
        return 0.003239 - 0.0001395 * math.log(parameters)
    rows = list(pairwise(GPT3_TABLE))
    (low, _, high_rate), (high, _, low_rate) = next((pair for pair in rows if parameters <= pair[1][0]), rows[-1])
    way = math.log(parameters / low) / math.log(high / low)
    return float(high_rate * (low_rate / high_rate) ** way)


def batch_rows(loss: float | int, row_tokens: int, devices: int = 1) -> int:
    """Rows of a step: a quarter of the critical batch, a power of two, then up to a multiple of `devices`."""
    wanted = _CRITICAL_SHARE * critical_batch_tokens(loss) / row_tokens
    power = 1 << max(0, round(math.log2(wanted)))
    return math.ceil(power / devices) * devices


def recipe(
    parameters: float | int, tokens: float | int, loss: float | int, row_tokens: int, devices: int = 1
) -> Recipe:
    """How a model of `parameters` that ends at `loss` reads `tokens`: in the whole steps that they fill, or in one."""
    rows = batch_rows(loss, row_tokens, devices)
    if devices == 1:
        rows = max(1, min(rows, math.floor(tokens / row_tokens)))
    steps = max(1, math.floor(tokens / (rows * row_tokens)))
    return Recipe(
        rows,
        rows * row_tokens,
        steps,
        learning_rate(parameters),
        warmup_steps=min(_WARMUP_STEPS, math.ceil(_WARMUP_SHARE * steps)),
    )
