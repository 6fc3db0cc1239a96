"""What people want done, and the plain words by which they say it.

`understand` reads a sentence by a table of words, not by a model; a word that ends in `*` is the beginning of one.
Words that name a task count first, weak ones ("write", "detect") where there are no others. The general words of a task
("classify") give way to a special task of its kind ("classify words"). What is left is every reading there is.
"""

__all__ = ["TASKS", "Task", "Understood", "understand"]

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trivium.errors import UsageError, nearest


@dataclass(frozen=True)
class Task:
    """A task. `input_tokens` and `output_tokens` are a usual request's: of the text, and of what writes an answer.

    `words` name it; `general_words` do, too, unless a task that is `special_of` it is named; `weak_words` suggest it.
    """

    name: str
    what: str
    input_tokens: int
    output_tokens: int
    words: tuple[str, ...] = ()
    general_words: tuple[str, ...] = ()
    weak_words: tuple[str, ...] = ()
    special_of: str | None = None


@dataclass(frozen=True)
class Understood:
    """The one reading of a text, and whether it asks for few-shot use of a model as it is."""

    task: Task
    few_shot: bool = False


#: Every task, in the order in which readings are listed.
TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "text-classification",
            "a label for a whole text: sentiment, topic, urgency, spam, intent",
            256,
            4,
            words=(
                "sentiment*", "polarity", "spam", "intent", "intents", "toxic*", "moderat*", "by topic", "topic label*",
                "urgency", "triag*", "entailment", "hate speech", "star rating*", "text classif*",
                "natural language inference",
            ),
            general_words=("classif*", "categori*"),
            weak_words=("label*", "rate", "rating*", "detect*", "route", "routing", "priorit*", "tag*", "topic*"),
        ),
        Task(
            "named-entity-recognition",
            "the names in a text: people, places, organisations",
            256,
            64,
            words=(
                "ner", "entit*", "person name*", "people name*", "company name*", "place name*", "product name*",
                "names of", "names in", "find names", "extract names", "anonymi*", "redact*", "pii",
            ),
            weak_words=("tag*", "extract*", "names"),
            special_of="text-classification",
        ),
        Task(
            "word-classification",
            "a label for every word: part of speech, error or not",
            256,
            128,
            words=(
                "word classif*", "token classif*", "part of speech", "parts of speech", "pos tag*", "classif* word*",
                "classif* token*", "classif* the word*", "label word*", "label token*", "label the word*", "tag word*",
                "tag token*", "tag the word*", "each word", "every word", "each token", "every token", "morpholog*",
            ),
            weak_words=("tag*",),
            special_of="text-classification",
        ),
        Task(
            "generation",
            "open-ended text: go on, write, chat",
            128,
            256,
            words=(
                "text generation", "open ended", "chatbot*", "chat with", "story", "stories", "poem*", "poetry",
                "creative writing", "autocomplet*", "text completion", "dialog*", "essay*", "language model*",
            ),
            weak_words=(
                "generat*", "writ*", "draft*", "compos*", "chat*", "complet*", "continu*", "reply", "replies",
                "answer*", "assistant*",
            ),
        ),
        Task(
            "few-shot",
            "any task from a few examples in the prompt, without training",
            128,
            64,
            words=(
                "few shot", "fewshot", "in context learning", "one shot", "zero shot", "prompting", "without training",
            ),
        ),
        Task("translation", "the same in another language", 128, 128, words=("translat*",)),
        Task(
            "summarisation",
            "the same in fewer words",
            512,
            96,
            words=("summar*", "tldr", "tl dr", "headline generat*", "condens*", "shorten*"),
        ),
        Task(
            "question-answering",
            "an answer to a question about a text, most often a span of it",
            384,
            32,
            general_words=(
                "question* answer*", "qa", "q a", "answer* question*", "answer* a question*", "answer* the question*",
                "reading comprehension",
            ),
            weak_words=("answer*", "question*"),
        ),
        Task(
            "extractive-question-answering",
            "an answer that stands word for word in a text that is given",
            384,
            32,
            words=(
                "extractive question*", "extractive qa", "extractive q a", "span extraction", "extract* answer*",
                "extract* the answer*", "answer span*", "squad", "extract* span*",
            ),
            weak_words=("extract*",),
            special_of="question-answering",
        ),
        Task(
            "generative-question-answering",
            "an answer in words of its own, from a text that is given",
            512,
            96,
            words=(
                "generative question*", "generative qa", "generative q a", "abstractive question*", "abstractive qa",
                "free form answer*", "long form answer*", "own words",
            ),
            special_of="question-answering",
        ),
        Task(
            "closed-book-question-answering",
            "an answer from what the model knows, with no text given",
            64,
            32,
            words=(
                "closed book", "trivia", "without context", "without a text", "without a passage", "general knowledge",
                "from memory",
            ),
            special_of="question-answering",
        ),
        Task(
            "embedding",
            "a vector for a text: search, similarity, clusters",
            256,
            0,
            words=(
                "embed*", "search*", "similar*", "retriev*", "cluster*", "dedup*", "duplicate*", "nearest neighbo*",
                "vector*", "rank", "ranking", "rerank*",
            ),
        ),
    )
}  # fmt: skip


def understand(text: str) -> Understood:
    """The task that a text asks for. Raises `UsageError` with the readings where there is none, or more than one."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    if "-".join(words) in TASKS:
        task = TASKS["-".join(words)]
        return Understood(task, few_shot=task.name == "few-shot")
    found = _readings(words)
    few_shot = TASKS["few-shot"] in found
    if few_shot and len(found) == 1:  # "few-shot labelling" is labelling by a prompt
        found = _weakly_named(words) or found
    readings = [task for task in found if task.name != "few-shot"] or found
    if len(readings) == 1:
        return Understood(readings[0], few_shot)
    raise UsageError(_question(text, readings))


def _readings(words: Sequence[str]) -> list[Task]:
    named = [task for task in TASKS.values() if _say(words, task.words)]
    special = {task.special_of for task in named}
    general = [task for task in TASKS.values() if task.name not in special and _say(words, task.general_words)]
    return [task for task in TASKS.values() if task in named or task in general] or _weakly_named(words)


def _weakly_named(words: Sequence[str]) -> list[Task]:
    return [task for task in TASKS.values() if _say(words, task.weak_words)]


def _say(words: Sequence[str], phrases: Sequence[str]) -> bool:
    return any(_stands(phrase.split(), words) for phrase in phrases)


def _stands(phrase: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words of a phrase follow one another in a text."""
    return any(
        all(map(_is, phrase, words[start : start + len(phrase)])) for start in range(len(words) - len(phrase) + 1)
    )


def _is(pattern: str, word: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


def _question(text: str, readings: Sequence[Task]) -> str:
    """What to ask where a text is unclear."""
    ways = "; ".join(f"{task.name} ({task.what})" for task in readings or TASKS.values())
    if readings:
        return f"The task '{text}' may mean several things: {ways}. Which is it? Say it by --task NAME."
    named = {phrase.rstrip("*") for task in TASKS.values() for phrase in task.words if len(phrase) > 4}
    near = nearest(text.lower(), [*TASKS, *sorted(named)])
    return f"The task '{text}' is not understood.{near} Which of these is it: {ways}? Say it by --task NAME."
