"""Options: validated, resolved, printed, exchanged with Hugging Face."""

from typing import Any

import pytest
from transformers import GenerationConfig

from trivium.decode.rules import MinLength, MinP, NoRepeatNgram, RepetitionPenalty, Temperature, TopK, TopP
from trivium.decode.sampling import BUILT_IN, Sampling, unsupported
from trivium.errors import UsageError


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": -0.1}, "temperature is -0.1, but must be a number of at least 0: 0 is greedy"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": "hot"}, "temperature is 'hot'"),
        ({"temperature": True}, "temperature is True"),
        ({"top_k": -1}, "top_k is -1, but must be a whole number of at least 0: 0 keeps every token"),
        ({"top_k": 2.5}, "top_k is 2.5"),
        ({"top_p": 1.1}, "top_p is 1.1, but must be a number from 0 to 1"),
        ({"min_p": -1}, "min_p is -1"),
        ({"repetition_penalty": 0}, "repetition_penalty is 0, but must be a number above 0: 1 is no penalty"),
        ({"max_tokens": 0}, "max_tokens is 0, but must be a whole number of at least 1"),
        ({"seed": 2**32}, "seed is 4294967296, but must be a whole number from 0 to 4294967295"),
        ({"stop": ""}, "stop is ''"),
        ({"stop": ["a", ""]}, "at least one character"),
        ({"temprature": 1}, "no decoding option 'temprature'. Did you mean 'temperature'?"),
    ],
)
def test_a_bad_value_is_refused_with_the_limit_and_the_way_out(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Sampling.of(**options)
    assert said in str(caught.value)


def test_zero_is_a_value_and_none_is_unset() -> None:
    defaults = Sampling(temperature=0.7, top_k=50, top_p=0.9, max_tokens=20)
    resolved = Sampling(temperature=0, top_k=0, top_p=0.0).resolve(defaults)
    assert (resolved.temperature, resolved.top_k, resolved.top_p) == (0, 0, 0.0)
    assert resolved.greedy
    assert resolved.max_tokens == 20
    assert Sampling().resolve(defaults).temperature == 0.7


def test_an_unset_temperature_is_greedy_unless_a_filter_asks_for_sampling() -> None:
    assert Sampling().resolve().greedy
    assert Sampling(top_p=0.9).resolve().temperature == 1.0
    assert Sampling(top_k=5).resolve(Sampling(temperature=0.0)).temperature == 1.0
    assert Sampling(top_k=5).resolve(Sampling(temperature=0.7)).temperature == 0.7
    assert Sampling(top_k=5, temperature=0).resolve(Sampling(temperature=0.7)).greedy


def test_everything_is_set_once_resolved_and_the_seed_is_new_each_time() -> None:
    first, second = Sampling().resolve(), Sampling().resolve()
    assert all(value is not None for value in vars(first).values())
    assert first.resolve() == first
    assert first.seed != second.seed
    assert BUILT_IN.seed is None


def test_rules_come_in_hugging_faces_order_and_only_where_they_act() -> None:
    sampling = Sampling(
        temperature=0.5,
        top_k=4,
        top_p=0.9,
        min_p=0.1,
        repetition_penalty=1.2,
        no_repeat_ngram=3,
        min_tokens=2,
        end_ids=(7,),
    )
    assert sampling.resolve().rules(10) == (
        RepetitionPenalty(1.2),
        NoRepeatNgram(3),
        MinLength(12, (7,)),
        Temperature(0.5),
        TopK(4),
        TopP(0.9),
        MinP(0.1),
    )
    assert Sampling(temperature=1.0).resolve().rules(10) == ()
    assert Sampling(temperature=0, top_k=4, repetition_penalty=1.2).resolve().rules(10) == (RepetitionPenalty(1.2),)


def test_it_prints_what_has_an_effect() -> None:
    assert str(Sampling(temperature=0, top_k=5, end_ids=(2,)).resolve()) == "greedy, max_tokens=128"
    shown = str(Sampling(temperature=0.8, top_k=5, seed=3, stop="\n").resolve())
    assert shown == "max_tokens=128, temperature=0.8, top_k=5, seed=3, stop=['\\n']"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, Sampling()),
        ({"do_sample": False, "temperature": 0.7}, Sampling(temperature=0.0)),
        ({"do_sample": True, "top_p": 0.9}, Sampling(temperature=1.0, top_p=0.9)),
        ({"do_sample": True, "temperature": 0.6, "top_k": 0}, Sampling(temperature=0.6, top_k=0)),
        ({"eos_token_id": 2, "max_new_tokens": 9}, Sampling(end_ids=(2,), max_tokens=9)),
        ({"eos_token_id": [2, 5], "_from_model_config": True}, Sampling(end_ids=[2, 5])),
    ],
)
def test_from_a_generation_config(config: dict[str, Any], expected: Sampling) -> None:
    assert Sampling.from_generation_config(config) == expected


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0.0, max_tokens=7, end_ids=[3]),
        Sampling(temperature=0.8, top_k=0, top_p=0.9, min_p=0.05, end_ids=[3, 4], repetition_penalty=1.1),
        Sampling(temperature=1.0, top_k=12, no_repeat_ngram=2, min_tokens=3),
    ],
    ids=str,
)
def test_what_we_write_transformers_reads_and_both_ways_agree(sampling: Sampling, tmp_path: Any) -> None:
    written = sampling.to_generation_config()
    config = GenerationConfig(**written)
    config.save_pretrained(tmp_path)
    read = GenerationConfig.from_pretrained(tmp_path)
    assert bool(read.do_sample) == (not sampling.greedy)
    again = Sampling.from_generation_config({key: value for key, value in read.to_dict().items() if value is not None})
    assert again == sampling


def test_what_cannot_be_done_is_listed() -> None:
    assert unsupported({"num_beams": 4, "length_penalty": 2.0, "top_k": 3, "typical_p": 1.0}) == {"num_beams": 4}
