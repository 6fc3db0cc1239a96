"""Whether a predictor is as often right as it is sure. No torch.

    ECE = sum_b n_b / N |right_b / n_b - confidence_b / n_b|        (Guo et al. 2017, equation 3)

over bins b of equal width, (0, 1/15], (1/15, 2/15], ... The estimate leans upwards where bins hold few items, and its
bootstrap more so: compare it on equal items.

Letters: N items.
"""

__all__ = ["BINS", "expected_calibration_error"]

from collections.abc import Sequence
from typing import Final

import numpy as np

from trivium.metrics.bootstrap import Sums

#: As the paper has it.
BINS: Final = 15


def expected_calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = BINS) -> Sums:
    """Of the probability that each item's choice was given, and of whether it was right."""
    sure = np.asarray(confidence, dtype=float)
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)
    counts = np.zeros((len(sure), bins + 1))
    counts[np.arange(len(sure)), place] = np.asarray(right, dtype=float) - sure
    counts[:, bins] = 1
    return Sums(counts, lambda sums: np.abs(sums[:, :bins]).sum(axis=1) / sums[:, bins])
