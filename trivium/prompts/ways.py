"""From likelihoods to scores of the choices: the ways in which a choice is made. No torch.

    plain             log p(choice | prompt)
    per-token         over its tokens (Brown et al. 2020, section 2.4)
    per-character     over its characters: lm-eval's `acc_norm`, which counts characters, not bytes
    per-byte          over its bytes in UTF-8: lm-eval's `acc_bytes`
    unconditional     less log p(choice | what the template says before the answer alone) (Brown et al. 2020)
    content-free      less log of the mean of what is said of inputs that say nothing: "N/A", "[MASK]", "" (Zhao et al.
                      2021, "Calibrate Before Use")
    in-domain         the same of texts like those that are asked, whose labels nobody needs (Zhou et al. 2024, "Batch
                      Calibration")

The best choice has the highest score. Lengths are those of the label words, without the space before them.

Letters: N items, C choices, K inputs of a calibration.
"""

__all__ = ["CONTENT_FREE", "WAYS", "Likelihoods", "check_way", "log_probabilities", "probabilities", "scores"]

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from trivium.errors import UsageError, nearest

#: How choices can be scored.
WAYS: Final = ("plain", "per-token", "per-character", "per-byte", "unconditional", "content-free", "in-domain")

#: Inputs that say nothing of the task (Zhao et al. 2021, section 4).
CONTENT_FREE: Final = ("N/A", "[MASK]", "")

#: No probability counts as less.
_LEAST: Final = 1e-30


@dataclass(frozen=True, eq=False)
class Likelihoods:
    """What a model says of every choice of every item, in nats, and of what the ways compare it with."""

    logprobs: Float[np.ndarray, "N C"]
    tokens: Int[np.ndarray, "N C"]
    words: tuple[str, ...]
    unconditional: Float[np.ndarray, "C"] | None = None
    content_free: Float[np.ndarray, "N K C"] | None = None
    in_domain: Float[np.ndarray, "N k C"] | None = None


def check_way(way: str) -> None:
    """Raise `UsageError` for a way that there is not."""
    if way not in WAYS:
        raise UsageError(f"There is no way '{way}' to score choices: {', '.join(WAYS)}.{nearest(way, WAYS)}")


def scores(likelihoods: Likelihoods, way: str) -> Float[np.ndarray, "N C"]:
    """The scores of the choices. Raises `UsageError` for a way that there is not."""
    check_way(way)
    logprobs = likelihoods.logprobs
    match way:
        case "per-token":
            return np.asarray(logprobs / likelihoods.tokens)
        case "per-character":
            return np.asarray(logprobs / [len(word) for word in likelihoods.words])
        case "per-byte":
            return np.asarray(logprobs / [len(word.encode()) for word in likelihoods.words])
        case "unconditional":
            assert likelihoods.unconditional is not None, "it was not read"
            return np.asarray(logprobs - likelihoods.unconditional)
        case "content-free":
            assert likelihoods.content_free is not None, "it was not read"
            return _calibrated(logprobs, likelihoods.content_free)
        case "in-domain":
            assert likelihoods.in_domain is not None, "it was not read"
            return _calibrated(logprobs, likelihoods.in_domain)
        case _:
            return logprobs


def probabilities(values: Float[np.ndarray, "*N C"]) -> Float[np.ndarray, "*N C"]:
    """Softmax over the choices: what each is worth where one of them must be right."""
    spread = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(spread / spread.sum(axis=-1, keepdims=True))


def log_probabilities(values: Float[np.ndarray, "*N C"]) -> Float[np.ndarray, "*N C"]:
    """The logarithms of `probabilities`, of which none is infinite."""
    return np.asarray(np.log(np.maximum(probabilities(values), _LEAST)))


def _calibrated(logprobs: Float[np.ndarray, "N C"], reference: Float[np.ndarray, "N K C"]) -> Float[np.ndarray, "N C"]:
    """Log p − log p̄ over the choices: Zhao et al.'s diagonal W = diag(p̄)⁻¹ without a bias."""
    mean = probabilities(reference).mean(axis=1)
    return np.asarray(log_probabilities(logprobs) - np.log(np.maximum(mean, _LEAST)))
