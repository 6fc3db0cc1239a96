"""Texts within a limit: cut, left out or refused, always counted, with the special tokens kept."""

import pytest

from tests.finetune.tiny import TEXTS, body
from trivium.errors import UsageError
from trivium.finetune.framed import framed
from trivium.finetune.settings import FineTuneSettings


def test_all_texts_are_read_where_they_fit() -> None:
    lm = body("bert")
    found = framed(lm, TEXTS, FineTuneSettings())
    assert (found.places, found.cut, found.left_out) == ((0, 1, 2, 3, 4), 0, {})
    assert [one.ids for one in found.read] == [lm.tokenizer.framed(text).ids for text in TEXTS]


def test_a_longer_one_is_cut_behind_its_special_tokens() -> None:
    lm = body("bert")
    found = framed(lm, TEXTS, FineTuneSettings(max_tokens=8))
    assert found.cut == sum(len(lm.tokenizer.framed(text).ids) > 8 for text in TEXTS) > 0
    whole = lm.tokenizer.framed(TEXTS[2]).ids
    assert found.read[2].ids == [*whole[:7], whole[-1]]


def test_the_models_own_limit_counts_too() -> None:
    lm = body("bert")
    assert len(framed(lm, [" ".join(TEXTS) * 3], FineTuneSettings(max_tokens=10_000)).read[0].ids) == 64


def test_a_longer_one_is_left_out_or_refused() -> None:
    lm = body("bert")
    found = framed(lm, TEXTS, FineTuneSettings(max_tokens=8, too_long="leave out"))
    assert found.places == tuple(n for n, text in enumerate(TEXTS) if len(lm.tokenizer.framed(text).ids) <= 8)
    assert found.left_out == {"more than 8 tokens": len(TEXTS) - len(found.places)}
    with pytest.raises(UsageError, match=r"Text 1 has \d+ tokens, and 8 are read. Set too_long"):
        framed(lm, TEXTS, FineTuneSettings(max_tokens=8, too_long="refuse"))


def test_a_text_without_a_token_is_left_out() -> None:
    found = framed(body("gpt2"), ["", TEXTS[1]], FineTuneSettings())
    assert (found.places, found.left_out) == ((1,), {"no token": 1})
