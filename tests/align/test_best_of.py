"""Best of n: answers that a judge ranks, and how far that is from the model."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from jaxtyping import Float

from tests.finetune.test_conversation import PLAIN, _lm
from tests.finetune.test_preference import PAIRS, SETTINGS
from trivium.align.best_of import best_of, divergence_bound
from trivium.align.judge import Turns, reward_model
from trivium.errors import UsageError
from trivium.finetune.conversation import with_template
from trivium.finetune.run import finetune


def shortest(turns: Turns, answers: Sequence[str]) -> Float[np.ndarray, "answers"]:
    return np.array([-float(len(answer)) for answer in answers])


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_the_best_is_the_judges(family: str) -> None:
    lm = _lm(family)
    found = best_of(lm, ["the cat", "the dog"], shortest, n=5, max_tokens=6, seed=1)
    assert len(found) == 2
    for best in found:
        assert len(best.answers) == 5
        assert len({answer.text for answer in best.answers}) > 1
        assert len(str(best)) == min(len(answer.text) for answer in best.answers)
        assert best.to_dict()["best"] == best.place
    again = best_of(lm, ["the cat", "the dog"], shortest, n=5, max_tokens=6, seed=1)
    assert again == found


def test_a_reward_model_judges_in_a_chat(tmp_path) -> None:
    lm = with_template(_lm(), PLAIN)
    taught = finetune(lm, PAIRS, tmp_path, settings=SETTINGS, task="reward").load("cpu")
    judge = reward_model(taught)
    turns = (("user", "the cat"),)
    chosen, rejected = judge(turns, ["cats and cats", "the cat"])
    assert chosen > rejected
    (best,) = best_of(lm, [turns], judge, n=3, max_tokens=4, seed=0)
    assert best.worth == pytest.approx(judge(turns, [answer.text for answer in best.answers]).tolist())


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(UsageError, match="n is 0"):
        best_of(_lm(), ["the cat"], shortest, n=0)
    with pytest.raises(UsageError, match="would be the same"):
        best_of(_lm(), ["the cat"], shortest, n=2, temperature=0)
    assert best_of(_lm(), ["the cat"], shortest, n=1, temperature=0, max_tokens=2)[0].place == 0


def test_the_distance_is_that_of_a_uniform_choice() -> None:
    """Of countless answers that are equally likely the best of n has the density n·u^(n−1); its KL by a sum."""
    for n in (1, 2, 4, 16):
        u = (np.arange(200_000) + 0.5) / 200_000
        density = n * u ** (n - 1)
        assert divergence_bound(n) == pytest.approx(float(np.mean(density * np.log(density))), abs=1e-4)
    assert divergence_bound(4) == pytest.approx(math.log(4) - 0.75)
