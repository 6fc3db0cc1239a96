"""What an answer is worth: said by a model that was taught rewards, or by a function that can check it."""

__all__ = ["Judge", "Turns", "reward_model"]

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from trivium.finetune.reward import rewards
from trivium.language_model import LanguageModel

#: What was said before an answer, as (role, content); a user's turn is last.
Turns = tuple[tuple[str, str], ...]

#: The worth of each answer to what was said; higher is better.
Judge = Callable[[Turns, Sequence[str]], Float[np.ndarray, "answers"]]


def reward_model(lm: LanguageModel) -> Judge:
    """A model that was fine-tuned for the task `reward`. Raises `UsageError` when asked, where it was not."""
    return lambda turns, answers: rewards(lm, turns, answers)
