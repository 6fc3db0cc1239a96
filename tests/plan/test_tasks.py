"""Tasks in plain words: each reading there is, and no silent guess."""

import pytest

from trivium.errors import UsageError
from trivium.plan.tasks import TASKS, understand

READINGS = {
    "sentiment": "text-classification",
    "Sentiment analysis of reviews": "text-classification",
    "classify support tickets by urgency": "text-classification",
    "detect spam": "text-classification",
    "categorise news articles": "text-classification",
    "NER": "named-entity-recognition",
    "Named entity recognition": "named-entity-recognition",
    "find names of people in contracts": "named-entity-recognition",
    "word classification": "word-classification",
    "part-of-speech tagging": "word-classification",
    "classify the words of a sentence": "word-classification",
    "label each word as error or not": "word-classification",
    "generation": "generation",
    "text generation": "generation",
    "write product descriptions": "generation",
    "a chatbot for customers": "generation",
    "few-shot use": "few-shot",
    "in-context learning": "few-shot",
    "translation": "translation",
    "translate manuals into German": "translation",
    "summarisation": "summarisation",
    "summarize meetings": "summarisation",
    "generate summaries of news": "summarisation",
    "question answering": "question-answering",
    "answer questions about a contract": "question-answering",
    "extractive question answering": "extractive-question-answering",
    "generative question answering": "generative-question-answering",
    "answer questions in its own words": "generative-question-answering",
    "closed-book question answering": "closed-book-question-answering",
    "embedding": "embedding",
    "semantic search in a wiki": "embedding",
    "cluster similar complaints": "embedding",
}


@pytest.mark.parametrize(("text", "name"), READINGS.items())
def test_plain_words(text: str, name: str) -> None:
    assert understand(text).task.name == name


@pytest.mark.parametrize("name", TASKS)
def test_a_name_is_always_understood(name: str) -> None:
    for spelled in (name, name.upper(), name.replace("-", " "), f" {name} "):
        assert understand(spelled).task is TASKS[name]


def test_few_shot_says_how_and_another_word_says_what() -> None:
    assert understand("few-shot classification of emails").task.name == "text-classification"
    assert understand("few-shot classification of emails").few_shot
    assert understand("few-shot labelling").task.name == "text-classification"
    assert understand("few-shot").few_shot
    assert not understand("classification of emails").few_shot


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("summarise and translate letters", ["translation", "summarisation"]),
        ("classify search queries", ["text-classification", "embedding"]),
        ("tag articles", ["text-classification", "named-entity-recognition", "word-classification"]),
        ("answer emails", ["generation", "question-answering"]),
        ("extract dates", ["named-entity-recognition", "extractive-question-answering"]),
        ("sentiment and entities", ["text-classification", "named-entity-recognition"]),
        ("question answering by retrieval", ["question-answering", "embedding"]),
    ],
)
def test_several_readings_are_asked_about(text: str, names: list[str]) -> None:
    with pytest.raises(UsageError, match="may mean several things") as raised:
        understand(text)
    assert raised.value.exit_code == 2
    assert [name for name in TASKS if f" {name} (" in str(raised.value)] == names


@pytest.mark.parametrize("text", ["", "do things", "42", "!?", "process documents"])
def test_no_reading_lists_all(text: str) -> None:
    with pytest.raises(UsageError, match="not understood") as raised:
        understand(text)
    assert all(task.what in str(raised.value) for task in TASKS.values())


def test_a_slip_is_told_the_nearest_word() -> None:
    with pytest.raises(UsageError, match="Did you mean 'sentiment'"):
        understand("sentimnt")
    with pytest.raises(UsageError, match="Did you mean 'translat"):
        understand("tranlsation")
