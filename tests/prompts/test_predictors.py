"""Prompted models as predictors: labels with their probabilities, texts up to a stop string."""

import pytest

from tests.prompts.tiny import review_prompt, reviews, speaker, text_of
from trivium.data.examples import Examples, Question, TextPair
from trivium.errors import DataError, UsageError
from trivium.evaluate.predictions import Described
from trivium.language_model import LanguageModel
from trivium.prompts.predictors import ChoicePrompter, TextPrompter, embedder
from trivium.prompts.prompt import Prompt
from trivium.prompts.shots import Shots
from trivium.prompts.template import Template
from trivium.prompts.ways import WAYS

POOL, ASKED = reviews(20), reviews(6, "One")
PAIRS = Examples("text-to-text", (TextPair("The cat sat", ("on the mat",)), TextPair("The dog", ("did not",))))


@pytest.mark.parametrize("way", WAYS)
def test_a_choice_has_the_highest_score(way: str) -> None:
    asker = ChoicePrompter(speaker(), review_prompt(), POOL, Shots(2), way, in_domain=5)
    assert isinstance(asker, Described)
    found = asker.predict(ASKED)
    assert len(found) == 6
    for one, example in zip(found, ASKED, strict=True):
        assert sum(one.scores.values()) == pytest.approx(1)
        assert one.said == max(one.scores, key=lambda label: one.scores[label])
        assert text_of(example) in one.input
    assert asker.how["shots"] == "2 balanced, seed 0"
    assert asker.how["choice by"] == way


def test_plain_choices_are_the_models_own() -> None:
    lm = speaker()
    for one in ChoicePrompter(lm, review_prompt()).predict(ASKED):
        bad, good = (score.logprob for score in lm.score(one.input, [" bad", " good"]))
        assert one.said == ("good" if good > bad else "bad")


def test_a_prediction_does_not_depend_on_its_neighbours() -> None:
    asker = ChoicePrompter(speaker(), review_prompt(), reviews(20), Shots(3), "in-domain", in_domain=5)
    whole = asker.predict(ASKED)
    for place, one in enumerate(whole):
        alone = asker.predict(ASKED.pick([place]))[0]
        assert (alone.said, alone.input) == (one.said, one.input)
        assert alone.scores == pytest.approx(one.scores, abs=1e-4)


def test_the_nearest_shots_by_a_models_own_vectors() -> None:
    lm = speaker()
    asker = ChoicePrompter(lm, review_prompt(), POOL, Shots(1, "nearest"), embed=embedder(lm))
    vectors, queries = (embedder(lm)([text_of(each) for each in some]) for some in (POOL, ASKED))
    for one, query in zip(asker.predict(ASKED), queries, strict=True):
        best = POOL.examples[int((vectors @ query).argmax())]
        assert one.input.startswith(f"Review: {text_of(best)}\n")


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_free_text_ends_at_a_stop_string(family: str) -> None:
    lm = speaker(family)
    asker = TextPrompter(lm, Prompt(Template.default("text-to-text")), max_tokens=12, stop=())
    assert isinstance(asker, Described)
    assert asker.forms == ("text-to-text",)
    [whole, _] = asker.predict(PAIRS)
    assert whole.input == "Input: The cat sat\nOutput:"
    assert whole.said == lm.generate(whole.input, max_tokens=12, temperature=0).text.strip()
    assert isinstance(whole.said, str)
    middle = whole.said[len(whole.said) // 2]
    cut = TextPrompter(lm, Prompt(Template.default("text-to-text")), max_tokens=12, stop=(middle,)).predict(PAIRS)[0]
    assert cut.said == lm.generate(whole.input, max_tokens=12, temperature=0, stop=[middle]).text.strip()
    assert middle not in str(cut.said)


def test_room_is_kept_for_a_free_answer() -> None:
    lm = speaker("gpt2", positions=120)
    asker = TextPrompter(lm, review_prompt(), POOL, Shots(12), max_tokens=30)
    for built in asker.build(ASKED):
        assert built.left_out > 0
        assert len(built.ids) + 30 - 1 <= 120


def test_questions_are_asked_and_labels_are_heard() -> None:
    lm = speaker("llama")
    questions = Examples("extraction", (Question("Who sat?", "The cat sat.", ("The cat",), (0,)),))
    [one] = TextPrompter(lm, Prompt(Template.default("extraction")), max_tokens=3).predict(questions)
    assert one.input == "The cat sat.\nQuestion: Who sat?\nAnswer:"
    said = TextPrompter(lm, review_prompt(), max_tokens=6, stop=()).predict(ASKED)
    place, words = next((place, str(one.said)) for place, one in enumerate(said) if one.said)
    renamed = review_prompt(good=words, bad="@@")
    assert TextPrompter(lm, renamed, max_tokens=6, stop=()).predict(ASKED)[place].said == "good"


def test_what_cannot_be_predicted_is_refused() -> None:
    lm: LanguageModel = speaker()
    with pytest.raises(UsageError, match="no way 'best'"):
        ChoicePrompter(lm, review_prompt(), way="best")
    with pytest.raises(DataError, match="a choice among labels needs classification"):
        ChoicePrompter(lm, review_prompt()).predict(PAIRS)
    with pytest.raises(UsageError, match="the prompt has none"):
        ChoicePrompter(lm, Prompt(Template("{{ text }} {{ label }}"))).predict(ASKED)
    with pytest.raises(UsageError, match="give a pool"):
        ChoicePrompter(lm, review_prompt(), way="in-domain").predict(ASKED)
    with pytest.raises(UsageError, match="An encoder gives no probability"):
        ChoicePrompter(speaker("bert"), review_prompt()).predict(ASKED)
