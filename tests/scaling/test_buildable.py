"""A law's optimum as a shape, by the shape's own FLOPs."""

from dataclasses import replace

import pytest

from trivium.families.registry import FAMILIES, family_named
from trivium.scaling.buildable import Question, buildable, fitting_flops
from trivium.scaling.inference_aware import best_within
from trivium.scaling.laws import DEFAULT_LAW, LAWS
from trivium.scaling.parametric import ParametricLaw

GPT2 = Question(DEFAULT_LAW, family_named("gpt2"), vocab=50_257, context=1024)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_law_is_asked_with_the_shapes_own_rate(name: str) -> None:
    question = replace(GPT2, family=family_named(name), vocab=8000, context=512)
    for flops, near in ((1e17, 0.1), (1e21, 0.02)):  # small shapes are coarse: two of them may ask for each other
        found = buildable(question, flops)
        asked = flops / (found.wanted.parameters * found.wanted.tokens)
        assert found.verdict == "fits"
        assert asked == pytest.approx(found.flops_per_token / found.size, rel=near)
        assert found.tokens * found.flops_per_token == pytest.approx(flops)
        assert found.tokens / found.size == pytest.approx(found.wanted.tokens_per_parameter, rel=2.5 * near)


def test_long_contexts_cost_more_and_so_make_smaller_models() -> None:
    short, long = buildable(replace(GPT2, context=128), 1e18), buildable(replace(GPT2, context=8192), 1e18)
    assert long.flops_per_token / long.size > 2 * short.flops_per_token / short.size
    assert long.size < short.size


def test_a_model_that_serves_is_sardanas() -> None:
    question = replace(GPT2, inference_tokens=1e12)
    found = buildable(question, 1e22)
    rate = found.flops_per_token / found.size
    assert isinstance(DEFAULT_LAW.rule, ParametricLaw)
    best = best_within(DEFAULT_LAW.rule, 1e22, 1e12, rate)
    assert found.size == pytest.approx(best.parameters, rel=0.03)
    assert (found.tokens + 1e12 / 3) * found.flops_per_token == pytest.approx(1e22)


def test_kaplan_counts_without_embeddings() -> None:
    found = buildable(replace(GPT2, law=LAWS["kaplan"]), 1e19)
    assert found.size == found.architecture.non_embedding_parameters
    assert found.size == pytest.approx(found.wanted.parameters, rel=0.03)


@pytest.mark.parametrize(("flops", "verdict"), [(1e12, "small"), (1e30, "large")])
def test_the_nearest_budget_that_fits(flops: float, verdict: str) -> None:
    assert buildable(GPT2, flops).verdict == verdict
    limit = fitting_flops(GPT2, flops, buildable(GPT2, flops).verdict)
    assert buildable(GPT2, limit).verdict == "fits"
    assert buildable(GPT2, limit * (0.98 if verdict == "small" else 1.02)).verdict == verdict


def test_rows_of_an_encoder_decoder_are_read_and_written() -> None:
    assert GPT2.row_tokens == 1024
    assert replace(GPT2, family=family_named("t5")).row_tokens == 2048
