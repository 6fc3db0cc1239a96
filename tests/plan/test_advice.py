"""The table of recommendations against what the papers found."""

import pytest

from trivium.families.registry import FAMILIES
from trivium.plan.advice import ADAPTATIONS, FINDINGS, USUAL_WAY, ZERO_SHOT, Way, options_for
from trivium.plan.tasks import TASKS

WAYS: tuple[Way, ...] = ("prompt", "few-shot", "fine-tune")
LABELLING = (
    "text-classification", "named-entity-recognition", "word-classification", "question-answering",
    "extractive-question-answering",
)  # fmt: skip
CONDITIONAL = ("translation", "summarisation", "generative-question-answering")


def test_every_task_has_an_answer_and_a_runner_up_each_way() -> None:
    for task in TASKS:
        assert USUAL_WAY[task] in WAYS
        for way in WAYS:
            kinds = [option.kind for option in options_for(task, way)]
            assert len(kinds) == len(set(kinds)) >= 2
    assert set(USUAL_WAY) == set(TASKS)


@pytest.mark.parametrize("task", LABELLING)
def test_labels_to_fine_tune_on_want_an_encoder_by_masked_modelling(task: str) -> None:
    first = options_for(task, "fine-tune")[0]
    assert (first.kind, first.objective) == ("encoder", "masked")
    assert USUAL_WAY[task] == "fine-tune"


def test_embeddings_want_an_encoder() -> None:
    assert {options_for("embedding", way)[0].kind for way in WAYS} == {"encoder"}


@pytest.mark.parametrize("task", CONDITIONAL)
def test_a_text_from_a_text_wants_a_pair_by_span_corruption(task: str) -> None:
    first = options_for(task, "fine-tune")[0]
    assert (first.kind, first.objective) == ("encoder-decoder", "span")


def test_open_ended_text_wants_a_causal_decoder() -> None:
    for way in WAYS:
        assert (options_for("generation", way)[0].kind, options_for("generation", way)[0].objective) == (
            "decoder",
            "causal",
        )


@pytest.mark.parametrize("task", [*LABELLING, *CONDITIONAL, "few-shot"])
def test_finding_1_without_training_a_causal_decoder(task: str) -> None:
    assert options_for(task, "few-shot")[0].objective == "causal"


@pytest.mark.parametrize("task", [*LABELLING, *CONDITIONAL])
def test_finding_2_after_multitask_fine_tuning_a_pair(task: str) -> None:
    first = options_for(task, "prompt")[0]
    assert (first.kind, first.objective) == ("encoder-decoder", "span")
    assert all(size.startswith("flan-") for start in first.starts for size in start.sizes)
    assert "finding 2" in first.source


def test_table_3_puts_the_causal_decoder_first_on_both_benchmarks() -> None:
    assert ZERO_SHOT == {
        "causal decoder, full language modelling": (44.2, 42.4),
        "non-causal decoder, prefix language modelling": (43.5, 41.8),
        "encoder-decoder, prefix language modelling": (39.9, 41.7),
        "random guesses": (32.9, 41.7),
    }
    for benchmark in (0, 1):
        assert max(ZERO_SHOT, key=lambda what: ZERO_SHOT[what][benchmark]).startswith("causal decoder")
    assert len(FINDINGS) == 3


def test_what_an_adaptation_costs_follows_from_its_tokens() -> None:
    pretraining = 168e9
    assert [(found.name, found.tokens) for found in ADAPTATIONS] == [("NC-A", 51e9), ("LM-A", 105e9)]
    for found in ADAPTATIONS:
        assert found.speedup == pytest.approx(pretraining / found.tokens, abs=0.05)
        assert found.total_cost == pytest.approx((pretraining + found.tokens) / pretraining, abs=0.05)


def test_every_start_is_a_published_size_of_a_family_of_that_kind() -> None:
    for task in TASKS:
        for way in WAYS:
            for option in options_for(task, way):
                for start in option.starts:
                    family = FAMILIES[start.family]
                    assert family.kind == option.kind
                    for prefix in (*start.sizes, *start.without):
                        assert any(size.startswith(prefix) for size in family.sizes), (start.family, prefix)


def test_models_whose_weights_were_never_given_out_are_no_start() -> None:
    started = {start.family for task in TASKS for way in WAYS for option in options_for(task, way)
               for start in option.starts}  # fmt: skip
    assert not started & {"gpt3", "gopher", "transformer"}
