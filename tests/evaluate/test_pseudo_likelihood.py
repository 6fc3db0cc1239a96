"""How an encoder finds hidden tokens: as `fill_mask` says of each mask alone."""

import math

import pytest

from tests.decode.tiny import speaker
from trivium.decode.fill import fill_mask
from trivium.errors import UsageError
from trivium.evaluate.pseudo_likelihood import pseudo_scores


def test_each_token_is_hidden_by_itself() -> None:
    model, words = speaker("bert")
    ids = words.encode("a b c d e f")  # letters: a mask can stand for each
    assert len(ids) == 6
    for place in range(6):
        shown = f"{words.decode(ids[:place])} [MASK] {words.decode(ids[place + 1 :])}"
        [candidates] = fill_mask(model, words, shown, top_k=words.vocabulary).masks
        [share] = [one.probability for one in candidates if one.id == ids[place]]
        [alone] = pseudo_scores(model, words, [(ids[:place], ids[place:])])
        rest = pseudo_scores(model, words, [(ids[: place + 1], ids[place + 1 :])])[0].logprob if place < 5 else 0.0
        assert alone.logprob - rest == pytest.approx(math.log(share), abs=1e-4)


def test_the_score_is_the_sum_over_its_tokens() -> None:
    model, words = speaker("bert")
    ids = words.encode("Nobody knew where the river began")
    whole = pseudo_scores(model, words, [([], ids)])[0].logprob
    tails = [pseudo_scores(model, words, [(ids[:place], ids[place:])])[0].logprob for place in range(len(ids))]
    parts = [one - other for one, other in zip(tails, [*tails[1:], 0.0], strict=True)]
    assert sum(parts) == pytest.approx(whole, abs=1e-4)
    assert all(part < 0 for part in parts)


def test_what_cannot_be_scored() -> None:
    model, words = speaker("bert")
    with pytest.raises(UsageError, match="Pair 1 has an empty text"):
        pseudo_scores(model, words, [([5], [6]), ([5], [])])
    with pytest.raises(UsageError, match="takes 67 positions; this model has 64"):
        pseudo_scores(model, words, [([5] * 60, [6] * 5)])
    with pytest.raises(UsageError, match="Only an encoder"):
        pseudo_scores(*speaker("gpt2"), [([5], [6])])
