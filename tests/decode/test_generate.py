"""Completions: what ends them, what their text is, and that streaming says the same."""

import dataclasses
import json
from typing import Any

import pytest

from tests.decode.tiny import speaker
from trivium.decode.generate import Completion, Delta, generate, stream
from trivium.decode.prompt import prompt_ids
from trivium.decode.sampling import Sampling
from trivium.errors import UsageError

SPEAKERS = ["gpt2", "llama", "t5"]
TEXTS = ["The cat", "Nobody knew where the river", "She"]


def completions(family: str, texts: list[str] = TEXTS, **options: Any) -> list[Completion]:
    model, words = speaker(family)
    prompts = [prompt_ids(words, model.architecture.kind, text) for text in texts]
    return generate(model, words, prompts, Sampling(**options), start_id=words.pad_id)


def deltas(family: str, texts: list[str] = TEXTS, **options: Any) -> list[Delta]:
    model, words = speaker(family)
    prompts = [prompt_ids(words, model.architecture.kind, text) for text in texts]
    return list(stream(model, words, prompts, Sampling(**options), start_id=words.pad_id))


SAMPLED = {"temperature": 1.0, "seed": 5, "max_tokens": 30}


@pytest.mark.parametrize("family", SPEAKERS)
def test_a_completion_holds_what_was_said(family: str) -> None:
    model, words = speaker(family)
    for text, completion in zip(TEXTS, completions(family, **SAMPLED), strict=True):
        assert completion.finish_reason == "length"
        assert len(completion.tokens) == len(completion.logprobs) == 30
        assert completion.prompt_tokens == len(prompt_ids(words, model.architecture.kind, text))
        assert completion.text
        assert completion.logprob == pytest.approx(sum(completion.logprobs))
        assert json.loads(json.dumps(completion.to_dict()))["finish_reason"] == "length"
        assert str(completion) == completion.text


@pytest.mark.parametrize("stop", [(), ("e",), ("a", " t", "the")], ids=str)
@pytest.mark.parametrize("family", SPEAKERS)
def test_streaming_says_the_same(family: str, stop: tuple[str, ...]) -> None:
    expected = completions(family, stop=stop, **SAMPLED)
    texts, done = [""] * len(TEXTS), {}
    for delta in deltas(family, stop=stop, **SAMPLED):
        assert delta.row not in done, "a row spoke after its end"
        texts[delta.row] += delta.text
        if delta.completion is not None:
            done[delta.row] = delta.completion
    assert texts == [completion.text for completion in expected]
    assert [done[row] for row in range(len(TEXTS))] == expected


@pytest.mark.parametrize("family", SPEAKERS)
def test_a_stop_string_ends_the_text_before_it(family: str) -> None:
    free = completions(family, **SAMPLED)
    for row, whole in enumerate(free):
        stop = whole.text[5:9]  # wherever the tokens are cut
        ended = completions(family, stop=stop, **SAMPLED)[row]
        assert ended.finish_reason == "stop"
        assert ended.text == whole.text[: whole.text.index(stop)]
        assert ended.tokens == whole.tokens[: len(ended.tokens)]
        assert len(ended.tokens) < len(whole.tokens)


@pytest.mark.parametrize("family", SPEAKERS)
def test_an_end_token_ends_the_text_and_is_no_part_of_it(family: str) -> None:
    free = completions(family, **SAMPLED)
    end = free[0].tokens[7]
    first = free[0].tokens.index(end)
    ended = completions(family, end_ids=(end,), **SAMPLED)[0]
    assert ended.tokens == free[0].tokens[: first + 1]
    assert ended.finish_reason == "stop"
    assert free[0].text.startswith(ended.text)
    assert len(ended.text) < len(free[0].text)


@pytest.mark.parametrize("family", SPEAKERS)
def test_a_completion_does_not_depend_on_its_neighbours(family: str) -> None:
    together = completions(family, stop=("e",), **SAMPLED)
    for row, text in enumerate(TEXTS):
        [alone] = completions(family, [text], stop=("e",), **(SAMPLED | {"seed": 5 + row}))
        assert alone.logprobs == pytest.approx(together[row].logprobs, abs=1e-4)
        assert dataclasses.replace(alone, logprobs=()) == dataclasses.replace(together[row], logprobs=())


@pytest.mark.parametrize("family", SPEAKERS)
def test_rows_taken_a_few_at_a_time_say_the_same(family: str) -> None:
    model, words = speaker(family)
    prompts = [prompt_ids(words, model.architecture.kind, text) for text in TEXTS]
    few = generate(model, words, prompts, Sampling(**SAMPLED), words.pad_id, rows=2)
    assert [one.tokens for one in few] == [one.tokens for one in completions(family, **SAMPLED)]


def test_the_text_of_a_decoder_goes_on_from_its_prompt() -> None:
    model, words = speaker("gpt2")
    prompt = prompt_ids(words, "decoder", "The cat")
    [completion] = generate(model, words, [prompt], Sampling(**SAMPLED))
    whole = words.decode([*prompt, *completion.tokens])
    assert whole.rstrip("\N{REPLACEMENT CHARACTER}") == "The cat" + completion.text


def test_the_models_positions_end_a_text_by_length() -> None:
    model, words = speaker("gpt2")
    [completion] = generate(model, words, [[5] * 60], Sampling(temperature=0, max_tokens=30))
    assert len(completion.tokens) == 4
    assert completion.finish_reason == "length"


def test_errors_come_before_the_first_token() -> None:
    model, words = speaker("gpt2")
    with pytest.raises(UsageError, match="can read 63"):
        stream(model, words, [[5] * 64], Sampling())
    with pytest.raises(UsageError, match="training mode"):
        stream(model.train(), words, [[5]], Sampling())


def test_no_prompts_no_completions() -> None:
    model, words = speaker("gpt2")
    assert generate(model, words, [], Sampling()) == []
