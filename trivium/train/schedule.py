"""The learning rate as a pure function of the step: up in a straight line, then down the way that was chosen.

With x = the part of the way from the end of the warm-up to the last step that is behind:

- cosine: floor + (1 - floor) (1 + cos(pi x)) / 2 (Loshchilov and Hutter 2017, "SGDR", equation 5, without restarts)
- linear: floor + (1 - floor) (1 - x)
- wsd: 1, then linear over the last `decay_fraction` of the steps ("warmup-stable-decay", Hu et al. 2024, "MiniCPM",
  section 4, with the straight line of Hägele et al. 2024)
- constant: 1
"""

__all__ = ["learning_rate_multiplier"]

import math

from trivium.train.settings import TrainSettings


def learning_rate_multiplier(step: int, settings: TrainSettings) -> float:
    """What `learning_rate` is multiplied with at `step`, counted from 0 to `steps - 1`.

    The warm-up of w steps multiplies with (step + 1) / w, so that no step is wasted at zero. The way down starts from 1
    at step w and would reach `floor` at step `steps`, the first one that is not taken.
    """
    warmup, steps = settings.warmup, settings.steps
    if step < warmup:
        return (step + 1) / warmup
    match settings.schedule:
        case "constant":
            return 1.0
        case "cosine":
            way = 0.5 * (1 + math.cos(math.pi * _part(step, warmup, steps)))
        case "linear":
            way = 1 - _part(step, warmup, steps)
        case "wsd":
            way = 1 - _part(step, steps - round(settings.decay_fraction * steps), steps)
    return settings.floor + (1 - settings.floor) * way


def _part(step: int, start: int, end: int) -> float:
    """How much of the way from `start` to `end` is behind, between 0 and 1."""
    return min(1.0, max(0.0, (step - start) / max(1, end - start)))
