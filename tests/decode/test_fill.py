"""Gaps: an encoder's candidates equal the softmax of its logits; spans come from behind their sentinels."""

import json

import pytest
import torch

from tests.decode.tiny import speaker
from trivium.decode.fill import fill_mask, fill_spans
from trivium.decode.generate import generate
from trivium.decode.rules import GapsInOrder
from trivium.decode.sampling import Sampling
from trivium.errors import UsageError


def test_candidates_are_the_most_probable_tokens_at_each_mask() -> None:
    model, words = speaker("bert")
    filling = fill_mask(model, words, "The [MASK] sat on the [MASK].", top_k=3)
    mask = words.mask_id
    ids = [
        words.begin_id,
        *words.encode("The"),
        mask,
        *words.encode("sat on the"),
        mask,
        *words.encode("."),
        words.end_id,
    ]
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0]
    for place, candidates in zip((i for i, token in enumerate(ids) if token == mask), filling.masks, strict=True):
        expected = logits[place].softmax(dim=-1).topk(3)
        assert [candidate.id for candidate in candidates] == expected.indices.tolist()
        assert [candidate.probability for candidate in candidates] == pytest.approx(expected.values.tolist(), abs=1e-5)
        assert [candidate.token for candidate in candidates] == [words.token(i) for i in expected.indices.tolist()]
    best = [candidates[0].id for candidates in filling.masks]
    assert filling.text == words.decode([{0: best[0], 1: best[1]}[n] if n < 2 else t for n, t in _numbered(ids, mask)])


def _numbered(ids: list, mask: int | None) -> list[tuple[int, int]]:
    """Each token with the number of its mask, or 2."""
    count = iter(range(2))
    return [(next(count) if token == mask else 2, token) for token in ids]


def test_a_filling_prints_and_goes_to_json() -> None:
    model, words = speaker("bert")
    filling = fill_mask(model, words, "The [MASK].", top_k=2)
    assert str(filling).splitlines()[0] == filling.text
    assert str(filling).count("%") == 2
    assert json.loads(json.dumps(filling.to_dict()))["masks"][0][0]["probability"] <= 1
    assert len(fill_mask(model, words, "The [MASK].", top_k=10_000).masks[0]) == words.vocabulary


def test_what_cannot_be_filled_is_refused() -> None:
    model, words = speaker("bert")
    for text, said in (("The cat", r"There is no \[MASK\]"), ("[MASK]" * 70, "72 tokens; this model reads 64")):
        with pytest.raises(UsageError, match=said):
            fill_mask(model, words, text)
    with pytest.raises(UsageError, match="top_k is 0"):
        fill_mask(model, words, "[MASK]", top_k=0)
    with pytest.raises(UsageError, match="this is a decoder"):
        fill_mask(*speaker("gpt2"), "[MASK]")
    with pytest.raises(UsageError, match="this is an encoder"):
        fill_spans(model, words, "<extra_id_0>", Sampling())
    with pytest.raises(UsageError, match="write <extra_id_0> for the first, <extra_id_1> for the next"):
        fill_spans(*speaker("t5"), "The cat", Sampling())


def test_spans_are_what_stands_behind_their_sentinels() -> None:
    model, words = speaker("t5")
    first, second = words.sentinel_ids[:2]
    old, north = words.encode("the old sailor"), words.encode("north")
    _teach(model, [first, *old, second, *north, words.end_id])
    filling = fill_spans(
        model, words, "Did <extra_id_0> turn <extra_id_1>?", Sampling(end_ids=(words.end_id,)), words.pad_id
    )
    assert filling.spans == ("the old sailor", "north")
    assert filling.text == str(filling) == "Did the old sailor turn north?"
    assert filling.completion.finish_reason == "stop"
    assert json.loads(json.dumps(filling.to_dict()))["spans"] == ["the old sailor", "north"]


def test_even_a_model_that_knows_nothing_fills_gaps_in_order_and_with_text() -> None:
    model, words = speaker("t5")
    sampling = Sampling(max_tokens=200, temperature=1.0, seed=1, end_ids=(words.end_id,))
    filling = fill_spans(model, words, "<extra_id_0> to <extra_id_1>", sampling, words.pad_id)
    said = [token for token in filling.completion.tokens if token in words.sentinel_ids]
    assert said == words.sentinel_ids[:2]
    assert filling.completion.tokens[0] == words.sentinel_ids[0]
    assert filling.completion.finish_reason == "stop"
    places = [filling.completion.tokens.index(mark) for mark in said]
    assert places[1] - places[0] > 1
    assert filling.completion.tokens[places[1] + 1] != words.end_id


def test_a_gap_that_the_tokens_did_not_reach_is_empty() -> None:
    model, words = speaker("t5")
    sampling = Sampling(max_tokens=2, end_ids=(words.end_id,))
    filling = fill_spans(model, words, "<extra_id_0> to <extra_id_1>", sampling, words.pad_id)
    assert filling.spans[1] == ""
    assert filling.completion.finish_reason == "length"


def test_the_prompt_holds_the_sentinels_as_tokens() -> None:
    model, words = speaker("t5")
    sampling = Sampling(max_tokens=6, end_ids=(words.end_id,))
    filling = fill_spans(model, words, "The <extra_id_0> sat", sampling, words.pad_id)
    prompt = [*words.encode("The "), words.sentinel_ids[0], *words.encode(" sat"), words.end_id]
    form = GapsInOrder((words.sentinel_ids[0],), frozenset(words.sentinel_ids), frozenset({words.end_id}))
    assert [filling.completion] == generate(model, words, [prompt], sampling, words.pad_id, rules=(form,))


def _teach(model: torch.nn.Module, tokens: list) -> None:
    """Make an encoder-decoder say these tokens whatever it reads: a few steps of training on them alone."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    targets = torch.tensor([tokens])
    inputs = torch.cat((torch.zeros(1, 1, dtype=torch.long), targets[:, :-1]), dim=1)
    for _ in range(120):
        loss = torch.nn.functional.cross_entropy(model(torch.tensor([[5, 6]]), None, inputs)[0], targets[0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.05
